package program

import (
	"cmp"
	"slices"

	"github.com/hotreflex/hr/internal/link/goobj"
	"github.com/hotreflex/hr/internal/link/gotype"
	"github.com/hotreflex/hr/internal/link/symtab"
)

// typeLists are the types and itabs that the runtime must be able to find: the
// first by name, by binary search over typelinks.
type typeLists struct {
	cold, hot           []namedType // sorted by name
	coldItabs, hotItabs []symtab.ID
	// Cold ones that were reached after the layout, if types must be contiguous.
	later      []namedType
	laterItabs []symtab.ID
	seen       int // cold symbols that have been sorted in
}

type namedType struct {
	name string
	id   symtab.ID
}

// typeLists brings the lists up to date with what is live, and gives the tables
// their sizes.
func (p *Program) typeLists() {
	l := &p.types
	fresh := p.coldLive[l.seen:]
	later := p.d.ContiguousTypes && l.seen > 0
	l.seen = len(p.coldLive)
	types, itabs := p.listed(fresh)
	if later {
		l.later = merge(l.later, types)
		l.laterItabs = append(l.laterItabs, itabs...)
	} else {
		l.cold = merge(l.cold, types)
		l.coldItabs = append(l.coldItabs, itabs...)
	}
	l.hot, l.hotItabs = p.listed(p.flood.HotLive)
	if p.d.ContiguousTypes {
		return // the runtime walks the descriptors
	}
	p.t.MadeOf(p.made.typelinks).Size = uint32(len(l.cold)+len(l.hot)) * 4
	p.t.MadeOf(p.made.itablinks).Size = uint32(len(l.coldItabs)+len(l.hotItabs)) * addrSize
}

// listed picks types and itabs out of live symbols.
func (p *Program) listed(ids []symtab.ID) (types []namedType, itabs []symtab.ID) {
	for _, id := range ids {
		if p.t.Flag(id)&goobj.Typelink != 0 {
			types = append(types, namedType{gotype.Name(p.t, id), id})
		}
		if p.t.Flag2(id)&goobj.Itab != 0 {
			itabs = append(itabs, id)
		}
	}
	slices.SortFunc(types, compareTypes)
	slices.Sort(itabs)
	return types, itabs
}

func compareTypes(a, b namedType) int {
	return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.id, b.id))
}

// merge merges two sorted lists; b is usually short.
func merge(a, b []namedType) []namedType {
	if len(b) == 0 {
		return a
	}
	out := make([]namedType, 0, len(a)+len(b))
	for _, x := range b {
		n, _ := slices.BinarySearchFunc(a, x, compareTypes)
		out = append(append(out, a[:n]...), x)
		a = a[n:]
	}
	return append(out, a...)
}

// writeTypeLists makes the content of the tables from the types' addresses.
func (p *Program) writeTypeLists() {
	if p.d.ContiguousTypes {
		return
	}
	l := &p.types
	table := make([]byte, 0, 4*(len(l.cold)+len(l.hot)))
	for _, t := range merge(l.cold, l.hot) {
		table = le.AppendUint32(table, p.t.Addr[t.id]-p.bases.RodataStart)
	}
	p.t.MadeOf(p.made.typelinks).Data = table
	itabs := make([]byte, 0, addrSize*(len(l.coldItabs)+len(l.hotItabs)))
	for _, list := range [][]symtab.ID{l.coldItabs, l.hotItabs} {
		for _, id := range list {
			itabs = le.AppendUint64(itabs, uint64(p.t.Addr[id]))
		}
	}
	p.t.MadeOf(p.made.itablinks).Data = itabs
}
