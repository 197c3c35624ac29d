package program

import (
	"github.com/hotreflex/hr/internal/link/layout"
	"github.com/hotreflex/hr/internal/link/symtab"
)

// Since Go 1.27 there are no tables of types and itabs: the runtime walks the
// descriptors, which must lie in one run, sorted by type string, one word behind
// the start of the types; itabs lie in another run (runtime/type.go,
// moduleTypelinks; runtime/iface.go, addModuleItabs).
//
// A sorted run cannot grow in place. So cold types and itabs get the run of the
// program's module, and all others, those of hot packages and cold ones that are
// reached later, get a second run, laid out anew in every link, which a second
// module describes. The second module's types lie inside the first one's, and the
// runtime takes the first module that contains an address: offsets of all types
// stay relative to the first. The second one only feeds the walks.

// coldRun is the part at the very start of the read-only segment, or nil.
func (p *Program) coldRun() *part {
	if !p.d.ContiguousTypes {
		return nil
	}
	run := &part{Chunk: &layout.Chunk{Name: "types", Packed: true}}
	for _, t := range p.types.cold {
		run.Add(p.t, t.id)
	}
	for _, id := range p.types.coldItabs {
		run.Add(p.t, id)
	}
	return run
}

// fillRun lists what is in the second run.
func (p *Program) fillRun(run *part) {
	l := &p.types
	run.Syms[layout.Rodata] = nil
	for _, t := range merge(l.later, l.hot) {
		run.Add(p.t, t.id)
	}
	for _, list := range [][]symtab.ID{l.laterItabs, l.hotItabs} {
		for _, id := range list {
			run.Add(p.t, id)
		}
	}
	for _, id := range run.Syms[layout.Rodata] {
		p.t.Bits[id] |= symtab.Moves
	}
	run.fresh = true
}

// runFields are the fields of a module that describe a run.
func (p *Program) runFields(run *part, types, itabs int) map[string]uint32 {
	start := run.Range[layout.Rodata].Start - addrSize
	syms := run.Syms[layout.Rodata]
	end := func(n int) uint32 { // of the first n symbols
		if n == 0 {
			return start + addrSize
		}
		return p.t.Addr[syms[n-1]] + p.t.Size(syms[n-1])
	}
	typesEnd, all := end(types), end(types+itabs)
	itabStart := typesEnd
	if itabs > 0 {
		itabStart = p.t.Addr[syms[types]]
	}
	return map[string]uint32{
		"types": start, "typedesclen": typesEnd - start, "etypes": all,
		"itaboffset": itabStart - start, "itabsize": all - itabStart,
	}
}

// secondModule is the content of the module data of the second run. It has no
// code and no variables: its function table is one zero entry at the end of the
// text, its pointer masks are empty programs.
func (p *Program) secondModule() []byte {
	l := &p.types
	m := newModule(p)
	for name, v := range p.runFields(p.run, len(l.later)+len(l.hot), len(l.laterItabs)+len(l.hotItabs)) {
		m.set(name, v)
	}
	zeros := p.t.Addr[p.made.padFunc]
	m.set("pcHeader", p.layout.PcHeader)
	m.slice("ftab", zeros, 1)
	m.slice("textsectmap", p.t.Addr[p.made.textsect], 1)
	m.set("gcdata", zeros)
	m.set("gcbss", zeros)
	for _, name := range []string{"minpc", "maxpc", "text", "etext"} {
		m.set(name, p.bases.TextEnd)
	}
	return m.b
}
