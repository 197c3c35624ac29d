package symtab

import (
	"encoding/binary"

	"github.com/hotreflex/hr/internal/link/dialect"
	"github.com/hotreflex/hr/internal/link/goobj"
)

// Resolve is the symbol that a reference of object o means; 0 if there is none.
func (t *Table) Resolve(o *Object, ref goobj.Ref) ID {
	switch ref.Pkg {
	case goobj.PkgSelf:
		return t.real(o.Base + ID(ref.Sym))
	case goobj.PkgNonpkg:
		if s := o.slots[ref.Sym]; s != 0 {
			return t.slots[s].win
		}
		if int(ref.Sym) < o.NNonpkgDef {
			return o.Base + ID(o.FirstNonpkg()) + ID(ref.Sym)
		}
		return 0
	case goobj.PkgHashed64:
		return t.hashed(o, int(ref.Sym))
	case goobj.PkgHashed:
		return t.hashed(o, o.NHash64+int(ref.Sym))
	case goobj.PkgBuiltin:
		return t.slots[t.builtins[ref.Sym]].win
	case goobj.PkgInvalid:
		return ID(ref.Sym)
	default:
		p := o.imports[ref.Pkg]
		if p == nil {
			Fail("%s refers to package %s, which is not linked", o.Pkg.Path, o.Package(int(ref.Pkg)))
		}
		c := p.Objects[0]
		if int(ref.Sym) >= c.NDef {
			Fail("%s refers to symbol %d of %s, which has %d", o.Pkg.Path, ref.Sym, p.Path, c.NDef)
		}
		return t.real(c.Base + ID(ref.Sym))
	}
}

// real is what a package definition stands for: nearly always itself.
func (t *Table) real(id ID) ID {
	if t.Bits[id]&Alias != 0 {
		return t.alias[id]
	}
	return id
}

// NameOf describes the target of a reference for messages.
func (t *Table) NameOf(o *Object, ref goobj.Ref) string {
	if ref.Pkg == goobj.PkgNonpkg {
		return o.Name(o.FirstNonpkg() + int(ref.Sym))
	}
	if ref.Pkg == goobj.PkgBuiltin {
		return t.D.Builtins[ref.Sym].Name
	}
	if id := t.Resolve(o, ref); id != 0 {
		return t.Name(id)
	}
	return "?"
}

// SlotOf is the name slot that a reference goes through, or 0. A reference of
// a cold object to a hot symbol always has one, because a cold package imports
// no hot one.
func (t *Table) SlotOf(o *Object, ref goobj.Ref) uint32 {
	switch ref.Pkg {
	case goobj.PkgNonpkg:
		return o.slots[ref.Sym]
	case goobj.PkgBuiltin:
		return t.builtins[ref.Sym]
	}
	return 0
}

// Meaning is the symbol that a slot means in the present link, and its name.
func (t *Table) Meaning(slot uint32) (ID, string) {
	s := &t.slots[slot]
	return s.win, s.name
}

// hashed resolves the i-th content-addressed definition of o. Equal content is
// one symbol among cold packages. A hot package shares with the cold ones only:
// its own copy costs a few bytes and makes it independent of other hot packages.
func (t *Table) hashed(o *Object, i int) ID {
	if id := o.hashed[i]; id != 0 {
		return id
	}
	own := o.Base + ID(o.NDef+i)
	id := own
	hot := o.Pkg.Hot
	if i < o.NHash64 {
		// Short hashes are the content, whatever the size: "A" and "A\0" are
		// equal. The longer one serves both, unless the short one has its place.
		h := o.Hash64(i)
		if have := t.hash64[h]; have != 0 && t.serves(have, own) {
			id = have
		} else if !hot {
			t.hash64[h] = own
		}
	} else {
		h := o.Hash(i - o.NHash64)
		if have := t.hash[*h]; have != 0 && t.serves(have, own) {
			id = have
		} else if !hot {
			t.hash[*h] = own
		}
	}
	o.hashed[i] = id
	return id
}

// serves tells whether content-addressed symbol have can stand for own.
func (t *Table) serves(have, own ID) bool {
	return t.Size(have) >= t.Size(own) && t.Kind(have) == t.Kind(own) && t.Align(have) >= t.Align(own)
}

func (t *Table) defineCold(slot uint32, id ID) {
	s := &t.slots[slot]
	win := t.merge(s.cold, id)
	if s.cold != 0 && win != s.cold && t.Bits[s.cold]&Live != 0 {
		t.rebound = true
	}
	if s.cold != 0 && win != s.cold && t.Bits[s.cold]&InIface != 0 {
		t.Bits[win] |= InIface
	}
	t.supplant(s.cold, win)
	s.cold, s.win = win, win
}

func (t *Table) defineHot(slot uint32, id ID) {
	s := &t.slots[slot]
	if s.win == s.cold {
		t.touched = append(t.touched, slot)
	}
	win := t.merge(s.win, id)
	t.supplant(s.win, win)
	s.win = win
}

// supplant is for a package definition that loses its name, for example a Go
// variable that an assembler file gives content to. References to it go by
// index, not by name.
func (t *Table) supplant(old, win ID) {
	if old == 0 || old == win {
		return
	}
	o := t.Owner(old)
	if o == nil || o.Local(old) >= o.NDef {
		return
	}
	if t.Bits[old]&Hot == 0 && t.Bits[win]&Hot != 0 {
		Fail("hot %s replaces a definition of cold package %s", t.Name(win), o.Pkg.Path)
	}
	t.Bits[old] |= Alias
	t.alias[old] = win
}

// merge decides between two definitions of one name.
func (t *Table) merge(old, id ID) ID {
	if old == 0 {
		return id
	}
	if t.Owner(old) == nil {
		// A package may declare a variable that the linker fills.
		if t.Kind(id).IsText() || len(t.Data(id)) != 0 {
			Fail("symbol %s is defined by a package and by the linker", t.Name(id))
		}
		return old
	}
	oldDup, newDup := t.Flag(old)&goobj.Dupok != 0, t.Flag(id)&goobj.Dupok != 0
	oldKind, newKind := t.Kind(old), t.Kind(id)
	oldSize, newSize := t.Size(old), t.Size(id)
	switch {
	case newDup:
		// A function of another length does the same; a variable must hold
		// what its largest user expects (go.dev/issue/47185).
		if oldSize < newSize && !(oldDup && oldKind.IsText() && t.Bits[id]&Hot != 0) {
			return id
		}
		return old
	case oldDup:
		if t.D.StrongReplacesDupok {
			return id
		}
		return old
	}
	oldBSS := isVariable(oldKind) && len(t.Data(old)) == 0
	newBSS := isVariable(newKind) && len(t.Data(id)) == 0
	switch {
	case newKind.IsText() && oldBSS:
		return id
	case oldBSS && (len(t.Data(id)) != 0 || newBSS && newSize > oldSize):
		t.widen(id, oldSize)
		return id
	case newBSS:
		t.widen(old, newSize)
		return old
	}
	Fail("duplicated definition of symbol %s, from %s and %s", t.Name(id), t.Owner(old).Pkg.Path, t.Owner(id).Pkg.Path)
	return 0
}

// widen makes a variable as large as another declaration of it says.
func (t *Table) widen(id ID, size uint32) {
	if t.Size(id) >= size || t.Kind(id).IsText() {
		return
	}
	o := t.Owner(id)
	if o.minSize == nil {
		o.minSize = map[ID]uint32{}
	}
	o.minSize[id] = size
}

func isVariable(k dialect.Kind) bool {
	switch k {
	case dialect.Noptrdata, dialect.Data, dialect.BSS, dialect.NoptrBSS, dialect.NoptrdataFIPS, dialect.DataFIPS:
		return true
	}
	return false
}

// ResolveKnown is Resolve without learning anything: a content-addressed symbol
// that nobody has asked for is 0, hence dead.
func (t *Table) ResolveKnown(o *Object, ref goobj.Ref) ID {
	switch ref.Pkg {
	case goobj.PkgHashed64:
		return o.hashed[ref.Sym]
	case goobj.PkgHashed:
		return o.hashed[o.NHash64+int(ref.Sym)]
	}
	return t.Resolve(o, ref)
}

// Own is Resolve without sharing: a content-addressed symbol is the object's
// own copy. It learns nothing.
func (t *Table) Own(o *Object, ref goobj.Ref) ID {
	switch ref.Pkg {
	case goobj.PkgHashed64:
		return o.Base + ID(o.NDef) + ID(ref.Sym)
	case goobj.PkgHashed:
		return o.Base + ID(o.NDef+o.NHash64) + ID(ref.Sym)
	}
	return t.Resolve(o, ref)
}

// Content is a key for the content of a symbol that has no relocations: equal
// keys mean equal bytes.
type Content [16]byte

// ContentOf is the key of what ref means to o.
func (t *Table) ContentOf(o *Object, ref goobj.Ref) (key Content) {
	switch ref.Pkg {
	case goobj.PkgHashed:
		return *o.Hash(int(ref.Sym))
	case goobj.PkgHashed64:
		// A short hash is the content padded with zeros.
		binary.LittleEndian.PutUint64(key[:], o.Hash64(int(ref.Sym)))
		key[8] = 1 + byte(len(o.Data(o.NDef+int(ref.Sym))))
		return key
	}
	binary.LittleEndian.PutUint64(key[:], uint64(t.Resolve(o, ref)))
	key[9] = 1
	return key
}

// Standing is the symbol that stands for definition local of o: itself, or
// another definition of the same name. Content-addressed symbols are not named.
func (t *Table) Standing(o *Object, local int) (id ID, named bool) {
	first := o.FirstNonpkg()
	switch {
	case local < o.NDef:
		return t.real(o.Base + ID(local)), true
	case local < first:
		return 0, false
	default:
		if s := o.slots[local-first]; s != 0 {
			return t.slots[s].win, true
		}
		return o.Base + ID(local), true
	}
}

// IsContent tells whether id is content-addressed.
func (t *Table) IsContent(id ID) bool {
	o := t.Owner(id)
	return o != nil && o.Local(id) >= o.NDef && o.Local(id) < o.FirstNonpkg()
}
