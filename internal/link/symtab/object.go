package symtab

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/hotreflex/hr/internal/link/goobj"
)

var errFlags = errors.New("object is for shared libraries or cannot be linked")

// Package is one archive in the table.
type Package struct {
	Path    string // import path; "main" is the path of no package but the linked one
	File    string
	Hot     bool
	Archive *goobj.Archive
	Objects []*Object // the compiler's object first
	source  *source   // nil once it is given up
	table   *Table    // that read it
}

// Object is a Go object with its place in the table.
type Object struct {
	*goobj.Object
	Pkg  *Package
	Base ID // ID of local symbol 0

	num     uint32
	ids     idRange
	slots   []uint32      // of non-package symbols; 0: static
	defs    []uint32      // of package definitions that have a name; 0: none
	hashed  []ID          // meaning of hashed definitions; 0: not asked yet
	unique  []uint32      // hashed definitions (indices as in hashed) of which there must be one
	imports []*Package    // by package index
	inIface []uint32      // non-package symbols that carry the UsedInIface flag
	refs    []goobj.Ref   // foreign symbols that carry it
	marked  bool          // inIface and refs have been carried over
	minSize map[ID]uint32 // variables that another declaration made larger
}

// Load is an archive that has been read but is not part of a table yet. Loads
// can be made concurrently.
type Load struct{ pkg *Package }

// Read reads an archive for this table. If it holds the same objects as old, the
// package of that path that is in the table, the load is nil.
func (t *Table) Read(path, file string, hot bool, old *Package) (*Load, error) {
	s := t.archives.take(origin{file, t.D.GOROOT})
	p := &Package{Path: path, File: file, Hot: hot, source: s, table: t}
	t.hold(p) // from here on Close gives it back, wherever reading ends
	if err := s.parse(); err != nil {
		p.Unmap()
		return nil, err
	}
	p.Archive = s.archive
	if old != nil && p.same(old) {
		p.Unmap()
		return nil, nil
	}
	if err := s.check(t.D); err != nil {
		p.Unmap()
		return nil, err
	}
	for i, g := range s.archive.Objects {
		p.Objects = append(p.Objects, &Object{Object: g, Pkg: p, unique: s.unique[i]})
	}
	return &Load{p}, nil
}

// same tells whether two archives of one package hold the same objects, bit for
// bit. They often do: the go command compiles the importers of an edited package
// again, mostly to the same result.
func (p *Package) same(old *Package) bool {
	a, b := p.Archive, old.Archive
	if a.ContentID != "" && a.ContentID == b.ContentID {
		return true
	}
	if len(a.Objects) != len(b.Objects) || a.Header != b.Header ||
		!bytes.Equal(a.Cgo, b.Cgo) || len(a.Host) != len(b.Host) {
		return false
	}
	for i := range a.Host {
		if !bytes.Equal(a.Host[i].Data, b.Host[i].Data) {
			return false
		}
	}
	for i := range a.Objects {
		if !bytes.Equal(a.Objects[i].Bytes(), b.Objects[i].Bytes()) {
			return false
		}
	}
	return true
}

// Header is the object header line of the archive.
func (l *Load) Header() string { return l.pkg.Archive.Header }

// Package is the package that Add will put into the table.
func (l *Load) Package() *Package { return l.pkg }

// Discard gives the archive up.
func (l *Load) Discard() { l.pkg.Unmap() }

// Add puts loads into the table, in order; a package of the same path is
// replaced, which only hot ones may be. Cold names are resolved here, hot ones
// by Begin.
func (t *Table) Add(loads []*Load) {
	t.reserve(loads)
	for _, l := range loads {
		if old := t.packages[l.pkg.Path]; old != nil {
			t.Remove(old)
		}
		t.packages[l.pkg.Path] = l.pkg
		for i, o := range l.pkg.Objects {
			t.place(o, l.pkg.source.hashes[i])
		}
	}
	for _, l := range loads {
		if !l.pkg.Hot {
			for _, o := range l.pkg.Objects {
				for _, i := range o.unique {
					t.hashed(o, int(i))
				}
			}
		}
	}
	// Package definitions of all loads first: they are never duplicates.
	for _, l := range loads {
		if l.pkg.Hot {
			continue
		}
		for _, o := range l.pkg.Objects {
			for i, s := range o.defs {
				if s != 0 {
					t.defineCold(s, o.Base+ID(i))
				}
			}
		}
	}
	for _, l := range loads {
		if l.pkg.Hot {
			continue
		}
		for _, o := range l.pkg.Objects {
			for i, s := range o.slots[:o.NNonpkgDef] {
				if s != 0 {
					t.defineCold(s, o.Base+ID(o.FirstNonpkg()+i))
				}
			}
			o.defs = nil // hot ones are defined again in every link
		}
	}
}

// place gives the object its IDs and its slots.
func (t *Table) place(o *Object, hashes []uint64) {
	r := t.allocate(ID(o.NDefs()))
	o.ids, o.Base = r, r.base
	if n := len(t.freeNums); n > 0 {
		o.num = t.freeNums[n-1]
		t.freeNums = t.freeNums[:n-1]
		t.Objects[o.num] = o
	} else {
		o.num = uint32(len(t.Objects))
		t.Objects = append(t.Objects, o)
	}
	for id := r.base; id < r.base+r.n; id++ {
		t.obj[id] = o.num
	}
	if o.Pkg.Hot {
		for id := r.base; id < r.base+r.n; id++ {
			t.Bits[id] = Hot
		}
	}
	o.defs = make([]uint32, o.NDef)
	o.slots = make([]uint32, o.NNonpkgDef+o.NNonpkgRef)
	o.hashed = make([]ID, o.NHash64+o.NHash)
	first := o.FirstNonpkg()
	for i, h := range hashes {
		switch {
		case h == 0:
		case i < o.NDef:
			o.defs[i] = t.slotOf(o, i, h)
		default:
			n := i - o.NDef
			s := o.Sym(first + n)
			o.slots[n] = t.slotOf(o, first+n, h)
			if s.Flag2()&goobj.UsedInIface != 0 {
				o.inIface = append(o.inIface, uint32(n))
			}
		}
	}
	for i := range o.NRefFlags() {
		if ref, _, flag2 := o.RefFlags(i); flag2&goobj.UsedInIface != 0 {
			o.refs = append(o.refs, ref)
		}
	}
}

// slotOf is the slot of the name of local symbol i. The name of a slot outlives
// the mapping of a hot object.
func (t *Table) slotOf(o *Object, i int, h uint64) uint32 {
	before := len(t.slots)
	s := t.slot(o.Name(i), o.Sym(i).ABI(), h)
	if o.Pkg.Hot && len(t.slots) > before {
		t.slots[s].name = strings.Clone(t.slots[s].name)
	}
	return s
}

// reserve makes room for all loads at once.
func (t *Table) reserve(loads []*Load) {
	ids, hashes := 0, 0
	for _, l := range loads {
		for i, o := range l.pkg.Objects {
			n := o.NDefs()
			ids += n + n/8 + 16
			hashes += len(l.pkg.source.hashes[i])
		}
	}
	if len(loads) > 1 {
		t.growTo(len(t.Bits) + ids)
		t.reserveNames(hashes / 2) // every second one is a name seen before
	}
}

// Remove takes a hot package out of the table.
func (t *Table) Remove(p *Package) {
	if t.packages[p.Path] == p {
		delete(t.packages, p.Path)
	}
	for _, o := range p.Objects {
		for id := o.ids.base; id < o.ids.base+o.ids.n; id++ {
			if t.Bits[id]&Made != 0 {
				delete(t.made, id)
			}
			t.Bits[id], t.Addr[id], t.obj[id] = 0, 0, 0
		}
		t.free = append(t.free, o.ids)
		t.Objects[o.num] = nil
		t.freeNums = append(t.freeNums, o.num)
	}
}

// Package finds a package by its path.
func (t *Table) Package(path string) *Package { return t.packages[path] }

// Packages calls f for every package.
func (t *Table) EachPackage(f func(*Package)) {
	for _, p := range t.packages {
		f(p)
	}
}

// Unmap gives up the archive of a package that is in no table. Names of its
// symbols must not be in use any more.
func (p *Package) Unmap() {
	if p.source != nil {
		p.source.drop()
		p.source = nil
		p.table.letGo(p)
	}
}

// hold notes a package whose archive is to be given back with the table, be it
// in there or not: what refuses a program may do so between reading and adding.
func (t *Table) hold(p *Package) {
	t.holding.Lock()
	defer t.holding.Unlock()
	t.held[p] = true
}

func (t *Table) letGo(p *Package) {
	t.holding.Lock()
	defer t.holding.Unlock()
	delete(t.held, p)
}

// Release lets go of the memory that reading the packages took; the next reading
// brings back what it needs.
func (t *Table) Release() {
	for _, p := range t.packages {
		if p.source != nil {
			goobj.Release(p.source.mapping)
		}
	}
}

// Close unmaps all packages that were read; the table is unusable then.
func (t *Table) Close() {
	t.holding.Lock()
	held := slices.Collect(maps.Keys(t.held))
	t.holding.Unlock()
	for _, p := range held {
		p.Unmap()
	}
}
