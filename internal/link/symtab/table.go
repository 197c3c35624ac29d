package symtab

import (
	"sync"

	"github.com/hotreflex/hr/internal/link/dialect"
	"github.com/hotreflex/hr/internal/link/goobj"
)

// ID numbers a symbol. 0 is no symbol.
type ID uint32

// Bits are what is known of a symbol during a link.
type Bits uint8

const (
	Live           Bits = 1 << iota // reached
	InIface                         // a type that may be found in an interface value
	Made                            // content and kind come from the linker, not from the object
	Hot                             // defined by a hot package or made for one link
	Scanned                         // relocations have been followed
	ScannedInIface                  // and with the InIface mark
	Alias                           // a package definition that stands for another symbol
	Moves                           // cold or hot, it has another address in every link
)

// Table holds all symbols. The slices are indexed by ID.
type Table struct {
	D    *dialect.Dialect
	Bits []Bits
	Addr []uint32 // address, 0 if not placed
	obj  []uint32 // index in Objects

	Objects  []*Object // index 0 stands for the linker itself
	packages map[string]*Package
	archives *Archives

	names    names
	slots    []slot
	rebound  bool     // a live cold definition was replaced by one of a new cold package
	revisit  []ID     // see Revisit
	touched  []uint32 // slots that hot definitions took part in at the last Begin
	builtins []uint32 // slot of each builtin

	hash64 map[uint64]ID   // cold content-addressed symbols seen so far
	hash   map[[16]byte]ID // the same, long hashes

	holding sync.Mutex        // guards held: loads are read concurrently
	held    map[*Package]bool // whose archives are not given back yet

	alias    map[ID]ID // what symbols with the Alias bit stand for
	made     map[ID]*MadeSym
	nextMade ID
	free     []idRange // ranges of replaced objects
	freeNums []uint32  // their places in Objects
}

// madeMax bounds the symbols that the linker can name itself: address marks,
// tables, sections of host objects. A cgo build needs about 700.
const madeMax = 1 << 13

type idRange struct{ base, n ID }

// New returns an empty table that reads through archives, which may be nil.
func New(d *dialect.Dialect, archives *Archives) *Table {
	t := &Table{
		D:        d,
		archives: archives,
		Objects:  []*Object{{}},
		packages: map[string]*Package{},
		held:     map[*Package]bool{},
		hash64:   map[uint64]ID{},
		hash:     map[[16]byte]ID{},
		alias:    map[ID]ID{},
		made:     map[ID]*MadeSym{},
		nextMade: 1,
		slots:    make([]slot, 1), // slot 0 is no name
	}
	t.grow(madeMax)
	for _, b := range d.Builtins {
		t.builtins = append(t.builtins, t.slot(b.Name, uint16(b.ABI), hashName(b.Name, uint16(b.ABI))))
	}
	return t
}

func (t *Table) grow(n ID) {
	need := len(t.Bits) + int(n)
	if need > cap(t.Bits) {
		t.growTo(need + need/8)
	}
	t.Bits, t.Addr, t.obj = t.Bits[:need], t.Addr[:need], t.obj[:need]
}

func (t *Table) growTo(c int) {
	t.Bits = append(make([]Bits, 0, c), t.Bits...)
	t.Addr = append(make([]uint32, 0, c), t.Addr...)
	t.obj = append(make([]uint32, 0, c), t.obj...)
}

// allocate finds a range of n IDs, reusing that of a replaced object. Reused
// entries are cleared.
func (t *Table) allocate(n ID) idRange {
	best := -1
	for i, r := range t.free {
		if r.n >= n && (best < 0 || r.n < t.free[best].n) {
			best = i
		}
	}
	if best >= 0 {
		r := t.free[best]
		t.free = append(t.free[:best], t.free[best+1:]...)
		clear(t.Bits[r.base : r.base+r.n])
		clear(t.Addr[r.base : r.base+r.n])
		return r
	}
	// A hot package that grows a little should fit into its old range.
	r := idRange{ID(len(t.Bits)), n + n/8 + 16}
	t.grow(r.n)
	return r
}

// NIDs is the number of IDs in use or reserved.
func (t *Table) NIDs() int { return len(t.Bits) }

// Owner is the object that defines id; nil for symbols the linker named.
func (t *Table) Owner(id ID) *Object {
	if n := t.obj[id]; n != 0 {
		return t.Objects[n]
	}
	return nil
}

// Local is the index of id in its object.
func (o *Object) Local(id ID) int { return int(id - o.Base) }

// Name is the name of a symbol.
func (t *Table) Name(id ID) string {
	if m := t.madeSym(id); m != nil && m.Name != "" {
		return m.Name
	}
	if o := t.Owner(id); o != nil {
		return o.Name(o.Local(id))
	}
	return "?"
}

// Kind is the kind of a symbol.
func (t *Table) Kind(id ID) dialect.Kind {
	if m := t.madeSym(id); m != nil {
		return m.Kind
	}
	o := t.Owner(id)
	return t.D.Kind(o.Sym(o.Local(id)).Kind())
}

// Size is the size of a symbol in bytes.
func (t *Table) Size(id ID) uint32 {
	if m := t.madeSym(id); m != nil {
		return m.Size
	}
	o := t.Owner(id)
	return max(o.Sym(o.Local(id)).Size(), o.minSize[id])
}

// Align is the alignment that the compiler asked for, or 0.
func (t *Table) Align(id ID) uint32 {
	if m := t.madeSym(id); m != nil {
		return m.Align
	}
	o := t.Owner(id)
	return o.Sym(o.Local(id)).Align()
}

// Data is the content of a symbol; bytes up to Size are zero.
func (t *Table) Data(id ID) []byte {
	if m := t.madeSym(id); m != nil {
		return m.Data
	}
	o := t.Owner(id)
	return o.Data(o.Local(id))
}

// Relocs are the relocations of a symbol; their references mean something to
// the object that is returned with them.
func (t *Table) Relocs(id ID) (*Object, []goobj.Reloc) {
	o := t.Objects[t.obj[id]]
	if m := t.madeSym(id); m != nil {
		return o, m.Relocs
	}
	return o, o.Relocs(o.Local(id))
}

// Flag and Flag2 are the symbol's flags; 0 for symbols the linker named.
func (t *Table) Flag(id ID) uint8 {
	if o := t.Owner(id); o != nil {
		return o.Sym(o.Local(id)).Flag()
	}
	return 0
}

func (t *Table) Flag2(id ID) uint8 {
	if o := t.Owner(id); o != nil {
		return o.Sym(o.Local(id)).Flag2()
	}
	return 0
}

// Record is what is known of a symbol at one look: kind and flags.
func (t *Table) Record(id ID) (kind dialect.Kind, flag, flag2 uint8) {
	if t.Bits[id]&Made != 0 {
		return t.Kind(id), t.Flag(id), t.Flag2(id)
	}
	o := t.Objects[t.obj[id]]
	s := o.Sym(int(id - o.Base))
	return t.D.Kind(s.Kind()), s.Flag(), s.Flag2()
}

// IsGoType tells whether id is a type descriptor.
func (t *Table) IsGoType(id ID) bool { return t.Flag(id)&goobj.GoType != 0 }

// InRun tells whether id is a type or itab that the runtime finds by walking
// from one to the next (dialect.ContiguousTypes).
func (t *Table) InRun(id ID) bool {
	return t.D.ContiguousTypes && (t.Flag(id)&goobj.Typelink != 0 || t.Flag2(id)&goobj.Itab != 0)
}

// Gotype is the type descriptor of a variable, or 0.
func (t *Table) Gotype(id ID) ID {
	o := t.Owner(id)
	if o == nil {
		return 0
	}
	auxs := o.Auxs(o.Local(id))
	for i := range auxs {
		if auxs[i].Kind() == goobj.AuxGotype {
			return t.Resolve(o, auxs[i].Ref())
		}
	}
	return 0
}

// RelocAt is the target of the relocation at offset off of id, or 0.
func (t *Table) RelocAt(id ID, off int32) ID {
	o, relocs := t.Relocs(id)
	// Relocations are in order of offset, with marks in between.
	for i := range relocs {
		if relocs[i].Off() == off && relocs[i].Size() != 0 {
			return t.Resolve(o, relocs[i].Ref())
		}
	}
	return 0
}

// HeapBytes estimates the memory of the table.
func (t *Table) HeapBytes() int64 {
	const slotSize, mapEntry = 32, 40
	n := int64(cap(t.Bits)*9+cap(t.slots)*slotSize+len(t.names.hash)*12) + int64(len(t.hash64)+len(t.hash))*mapEntry
	for _, o := range t.Objects {
		if o != nil {
			n += int64(len(o.slots)+len(o.defs)+len(o.hashed)) * 4
		}
	}
	return n
}
