package symtab

import (
	"strings"

	"github.com/hotreflex/hr/internal/link/goobj"
)

// Begin resolves the names of hot packages, which it takes in the given order,
// connects objects to the packages that they import, and forgets what was known
// of hot symbols. It reports whether a placed cold symbol has lost its name to a
// hot one: then every reference to it is wrong and the program must be laid out
// anew.
func (t *Table) Begin(hot []*Package) (rebound bool) {
	for _, s := range t.touched {
		t.slots[s].win = t.slots[s].cold
	}
	t.touched = t.touched[:0]
	rebound, t.rebound = t.rebound, false
	for _, p := range hot {
		for _, o := range p.Objects {
			bits := t.Bits[o.Base : o.Base+ID(o.NDefs())]
			for i := range bits {
				bits[i] &= Hot | Made // definitions may stand for others again
			}
			for i, s := range o.defs {
				if s != 0 {
					t.defineHot(s, o.Base+ID(i))
				}
			}
		}
	}
	for _, p := range hot {
		for _, o := range p.Objects {
			for i, s := range o.slots[:o.NNonpkgDef] {
				if s != 0 {
					t.defineHot(s, o.Base+ID(o.FirstNonpkg()+i))
				}
			}
		}
	}
	t.shareUnique(hot)
	for _, s := range t.touched {
		if e := &t.slots[s]; e.cold != 0 && e.win != e.cold {
			rebound = rebound || t.Bits[e.cold]&Live != 0
			if t.Flag2(e.cold)&goobj.UsedInIface != 0 || t.Bits[e.cold]&InIface != 0 {
				t.markInIface(e.win)
			}
		}
	}
	t.connect(hot)
	return rebound
}

// shareUnique settles who defines content-addressed symbols of which there must
// be one: a cold package if any has it, else the first hot one.
func (t *Table) shareUnique(hot []*Package) {
	first := map[[16]byte]ID{}
	for _, p := range hot {
		for _, o := range p.Objects {
			for _, n := range o.unique {
				i := int(n)
				o.hashed[i] = 0
				id := t.hashed(o, i)
				if own := o.Base + ID(o.NDef+i); id == own && i >= o.NHash64 {
					h := *o.Hash(i - o.NHash64)
					if first[h] == 0 {
						first[h] = own
					}
					id = first[h]
				}
				o.hashed[i] = id
			}
		}
	}
}

// Reset forgets what is live: every symbol is as if no link had been made.
func (t *Table) Reset() {
	for i := range t.Bits {
		t.Bits[i] &= Hot | Made | Alias
	}
	clear(t.Addr)
	t.revisit = nil
	for _, o := range t.Objects[1:] {
		if o != nil {
			o.marked = false
		}
	}
}

// connect fills the import tables of objects that have none yet and of all hot
// ones, and marks the types that they know to be in interfaces.
func (t *Table) connect(hot []*Package) {
	byName := make(map[string]*Package, len(t.packages))
	for path, p := range t.packages {
		byName[EscapePath(path)] = p
	}
	join := func(o *Object) {
		o.imports = make([]*Package, o.NPackages())
		for i := 1; i < len(o.imports); i++ {
			o.imports[i] = byName[o.Package(i)]
		}
		o.marked = true
		for _, n := range o.inIface {
			if s := o.slots[n]; s != 0 {
				t.markInIface(t.slots[s].win)
			}
		}
		for _, ref := range o.refs {
			t.markInIface(t.Resolve(o, ref))
		}
	}
	for _, o := range t.Objects[1:] {
		if o != nil && !o.Pkg.Hot && !o.marked {
			join(o)
		}
	}
	for _, p := range hot {
		for _, o := range p.Objects {
			join(o)
		}
	}
}

// markInIface marks a type. One that is live was followed without the mark and
// must be followed again.
func (t *Table) markInIface(id ID) {
	if id == 0 || t.Bits[id]&InIface != 0 {
		return
	}
	t.Bits[id] |= InIface
	if t.Bits[id]&Live != 0 {
		t.revisit = append(t.revisit, id)
	}
}

// Revisit are live types that Begin has found to be in interfaces.
func (t *Table) Revisit() []ID {
	list := t.revisit
	t.revisit = nil
	return list
}

// Mismatch compares what every importer was compiled against with what there
// is: fingerprints of export data, and the names behind index references to the
// packages in changed. It returns the first difference, or "".
func (t *Table) Mismatch(changed map[*Package]bool) string {
	for _, o := range t.Objects[1:] {
		if o == nil {
			continue
		}
		if len(changed) > 0 && !o.Pkg.Hot {
			continue // checked when the table was made; cold packages import no hot ones
		}
		for _, imp := range o.Imports() {
			p := t.packages[imp.Path]
			if p == nil {
				return o.Pkg.Path + " imports " + imp.Path + ", which is not linked"
			}
			if p.Objects[0].Fingerprint != imp.Fingerprint {
				return "fingerprint mismatch: " + o.Pkg.Path + " was compiled against another " + imp.Path
			}
		}
		if len(changed) > 0 && !changed[o.Pkg] {
			if s := t.refNameMismatch(o, changed); s != "" {
				return s
			}
		}
	}
	return ""
}

func (t *Table) refNameMismatch(o *Object, changed map[*Package]bool) string {
	for i := range o.NRefNames() {
		ref, name := o.RefName(i)
		if ref.Pkg == 0 || int(ref.Pkg) >= len(o.imports) {
			continue
		}
		p := o.imports[ref.Pkg]
		if p == nil || !changed[p] {
			continue
		}
		c := p.Objects[0]
		if int(ref.Sym) >= c.NDef || c.Name(int(ref.Sym)) != name {
			return o.Pkg.Path + " refers to " + name + ", which has moved in " + p.Path
		}
	}
	return ""
}

// EscapePath is a package path as objects write it: the first bytes of symbol
// names, where a dot after the last slash, quotes, percent signs, controls and
// bytes above ASCII are hexadecimal (cmd/internal/objabi/path.go).
func EscapePath(path string) string {
	slash := strings.LastIndexByte(path, '/')
	clean := true
	for i := 0; i < len(path); i++ {
		if mustEscape(path[i], i > slash) {
			clean = false
			break
		}
	}
	if clean {
		return path
	}
	const hex = "0123456789abcdef"
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if c := path[i]; mustEscape(c, i > slash) {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func mustEscape(c byte, last bool) bool {
	return c <= ' ' || c == '.' && last || c == '%' || c == '"' || c >= 0x7f
}
