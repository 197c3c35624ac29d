// Package reach finds the symbols that a program needs.
//
// It floods from the roots along relocations. Methods are kept only if
// something can call them: an interface method of that name and type is used,
// or reflection may ask for it. For cold symbols the answer only grows from
// link to link; for hot ones it is found anew each time.
//
// It does not place anything. A Flood belongs to one goroutine.
//
// The rules are those of GOROOT/src/cmd/link/internal/ld/deadcode.go.
package reach

import (
	"slices"

	"github.com/hotreflex/hr/internal/link/dialect"
	"github.com/hotreflex/hr/internal/link/goobj"
	"github.com/hotreflex/hr/internal/link/gotype"
	"github.com/hotreflex/hr/internal/link/symtab"
)

// Flood is the liveness of one program.
type Flood struct {
	t     *symtab.Table
	queue []symtab.ID

	cold, hot knowledge
	coldToHot map[uint32]bool // name slots through which live cold symbols reach hot ones

	// NewCold are the cold symbols that the last Run reached for the first
	// time, in no order. HotLive are all live hot ones.
	NewCold, HotLive []symtab.ID
}

// knowledge is what has been learned about methods, apart for cold and hot
// symbols because the hot part is forgotten between links.
type knowledge struct {
	used       map[gotype.Method]bool // called through an interface
	usedByName map[string]bool        // asked for by a constant name, or by a generic call
	reflect    bool                   // any exported method may be asked for

	waiting map[gotype.Method][]candidate // methods that nothing calls yet
	named   map[string][]gotype.Method    // keys of waiting by name
}

// candidate is a method of a type that may be in an interface.
type candidate struct {
	typ symtab.ID
	r   int // first of the three relocations of the method
}

// New returns the liveness of a program of which nothing is live yet.
func New(t *symtab.Table) *Flood {
	return &Flood{t: t, cold: newKnowledge(), hot: newKnowledge(), coldToHot: map[uint32]bool{}}
}

func newKnowledge() knowledge {
	return knowledge{
		used: map[gotype.Method]bool{}, usedByName: map[string]bool{},
		waiting: map[gotype.Method][]candidate{}, named: map[string][]gotype.Method{},
	}
}

// Run finds everything reachable from roots. Hot symbols must not be live:
// symtab.Table.Begin sees to that.
func (f *Flood) Run(roots []symtab.ID) {
	f.NewCold, f.HotLive = f.NewCold[:0], f.HotLive[:0]
	f.hot = newKnowledge()
	f.queue = append(f.queue, f.t.Revisit()...)
	for _, id := range roots {
		f.mark(id)
	}
	for _, s := range slices.Sorted(keys(f.coldToHot)) {
		id, name := f.t.Meaning(s)
		if id == 0 {
			symtab.Fail("%s is not defined any more", name)
		}
		f.mark(id)
	}
	f.drain()
}

// IsUsed tells whether an interface method is used; for tests and statistics.
func (f *Flood) IsUsed(m gotype.Method) bool { return f.cold.used[m] || f.hot.used[m] }

func (f *Flood) mark(id symtab.ID) {
	b := f.t.Bits[id]
	if id == 0 || b&symtab.Live != 0 {
		return
	}
	f.t.Bits[id] = b | symtab.Live
	if b&symtab.Hot != 0 {
		f.HotLive = append(f.HotLive, id)
	} else {
		f.NewCold = append(f.NewCold, id)
	}
	f.queue = append(f.queue, id)
}

// inInterface notes that a value of a type can be in an interface, which makes
// its methods candidates and spreads to the types it is made of. A live type
// is visited once more.
func (f *Flood) inInterface(id symtab.ID) {
	if b := f.t.Bits[id]; id != 0 && b&symtab.InIface == 0 {
		f.t.Bits[id] = b | symtab.InIface
		if b&symtab.Live != 0 {
			f.queue = append(f.queue, id)
		}
	}
}

func (f *Flood) drain() {
	for len(f.queue) > 0 {
		id := f.queue[len(f.queue)-1]
		f.queue = f.queue[:len(f.queue)-1]
		f.visit(id)
	}
}

func (f *Flood) knows(id symtab.ID) *knowledge {
	if f.t.Bits[id]&symtab.Hot != 0 {
		return &f.hot
	}
	return &f.cold
}

func (f *Flood) visit(id symtab.ID) {
	t := f.t
	kind, flag, flag2 := t.Record(id)
	isType := flag&goobj.GoType != 0
	if flag2&goobj.UsedInIface != 0 {
		t.Bits[id] |= symtab.InIface
	}
	bits := t.Bits[id]
	spread := isType && bits&symtab.InIface != 0
	done := symtab.Scanned
	if spread {
		done |= symtab.ScannedInIface
	}
	if bits&done == done {
		return
	}
	t.Bits[id] |= done
	switch kind {
	case dialect.Unsupported:
		symtab.Fail("%s is a coverage or fuzzing counter", t.Name(id))
	case dialect.None, dialect.Debug, dialect.Unknown:
		symtab.Fail("%s has no place in a program", t.Name(id))
	}
	if flag&goobj.ReflectMethod != 0 {
		f.useReflection(f.knows(id))
	}
	o, relocs := t.Relocs(id)
	f.follow(id, o, relocs, isType, spread)
	if isType || t.Owner(id) == nil {
		return
	}
	auxs := o.Auxs(o.Local(id))
	for i := range auxs {
		if auxs[i].Kind() == goobj.AuxFuncdata {
			if fd := t.Resolve(o, auxs[i].Ref()); fd != 0 {
				f.mark(fd)
			}
		}
	}
}

func (f *Flood) follow(id symtab.ID, o *symtab.Object, relocs []goobj.Reloc, isType, spread bool) {
	t := f.t
	var methods []int // relocations that begin one
	for i := 0; i < len(relocs); i++ {
		r := &relocs[i]
		typ := r.Type()
		if typ&goobj.Weak != 0 {
			continue
		}
		switch typ {
		case dialect.RelocAddr, dialect.RelocAddrOff, dialect.RelocCall, dialect.RelocPCRel, dialect.RelocKeep, dialect.RelocSize:
			to := t.Resolve(o, r.Ref())
			if to == 0 {
				if r.Ref() == (goobj.Ref{}) {
					continue
				}
				symtab.Fail("%s: relocation target %s not defined", t.Name(id), t.NameOf(o, r.Ref()))
			}
			if spread && t.IsGoType(to) {
				f.inInterface(to)
			}
			f.crossing(id, to, o, r.Ref())
			f.mark(to)
		case dialect.RelocTLSLE, dialect.RelocCallInd, dialect.RelocUseType, dialect.RelocConst:
		case dialect.RelocMethodOff:
			if i+2 >= len(relocs) {
				symtab.Fail("%s has an incomplete method", t.Name(id))
			}
			if spread {
				f.inInterface(t.Resolve(o, r.Ref()))
				methods = append(methods, i)
			}
			i += 2
		case dialect.RelocUseIface:
			to := t.Resolve(o, r.Ref())
			if to != 0 && t.Flag2(to)&goobj.Itab != 0 {
				to = gotype.ItabType(t, to)
			}
			if to == 0 || !t.IsGoType(to) {
				symtab.Fail("%s puts %s, which is no type, into an interface", t.Name(id), t.NameOf(o, r.Ref()))
			}
			f.inInterface(to)
		case dialect.RelocUseIfaceMethod:
			m := gotype.InterfaceMethod(t, t.Resolve(o, r.Ref()), r.Add())
			f.useMethod(f.knows(id), m)
		case dialect.RelocUseNamedMethod:
			name := string(t.Data(t.Resolve(o, r.Ref())))
			f.useName(f.knows(id), name)
		case t.D.InitOrder:
		default:
			symtab.Fail("%s has a relocation of unknown type %d", t.Name(id), typ)
		}
	}
	if len(methods) > 0 {
		f.offer(id, methods)
	}
}

// crossing remembers by which name a cold symbol reaches a hot one: in the next
// link another symbol may have the name.
func (f *Flood) crossing(from, to symtab.ID, o *symtab.Object, ref goobj.Ref) {
	if f.t.Bits[to]&symtab.Hot != 0 && f.t.Bits[from]&(symtab.Hot|symtab.Made) == 0 {
		s := f.t.SlotOf(o, ref)
		if s == 0 {
			symtab.Fail("cold symbol %s refers to hot symbol %s", f.t.Name(from), f.t.Name(to))
		}
		f.coldToHot[s] = true
	}
}

func keys(m map[uint32]bool) func(func(uint32) bool) {
	return func(yield func(uint32) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
