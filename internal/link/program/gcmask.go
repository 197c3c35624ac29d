package program

import (
	"github.com/hotreflex/hr/internal/link/dialect"
	"github.com/hotreflex/hr/internal/link/gotype"
	"github.com/hotreflex/hr/internal/link/layout"
	"github.com/hotreflex/hr/internal/link/symtab"
)

// The garbage collector learns where pointers are in data and bss from two GC
// programs (runtime/mbitmap.go, runGCProg). Ours are nothing but literal bits in
// instructions of equal length, so the bit of a word has a fixed place and the
// mask of a chunk can be replaced alone.
//
// An instruction is a byte n < 128 and n bits; a zero byte ends the program.

const (
	literalBits = 8 * layout.GCPayload
	literalSize = 1 + layout.GCPayload
)

// startMask writes the instructions of an empty mask of a section.
func (p *Program) startMask(at layout.Range, section layout.Range) {
	words := section.Cap / addrSize
	b := make([]byte, at.Cap)
	for i := uint32(0); words > 0; i++ {
		n := min(words, literalBits)
		b[i*literalSize] = byte(n)
		words -= n
	}
	p.Image.Put(at.Start, b)
}

// setMasks replaces the pointer bits of a part.
func (p *Program) setMasks(part *part) {
	p.setMask(part, layout.Data, p.layout.GCData)
	p.setMask(part, layout.BSS, p.layout.GCBSS)
}

func (p *Program) setMask(part *part, s layout.Section, program layout.Range) {
	r := part.Range[s]
	if r.Cap == 0 {
		return
	}
	section := p.layout.Section[s].Start
	// Work on a copy of the instructions that hold the part's words.
	first := (r.Start - section) / addrSize
	last := (r.End() - section + addrSize - 1) / addrSize
	from := first / literalBits * literalSize
	to := min((last/literalBits+1)*literalSize, program.Cap)
	b := make([]byte, to-from)
	copy(b, p.Image.At(program.Start+from, to-from))
	set := func(word uint32, on bool) {
		at := &b[word/literalBits*literalSize+1+word%literalBits/8-from]
		if bit := byte(1) << (word % 8); on {
			*at |= bit
		} else {
			*at &^= bit
		}
	}
	for w := first; w < last; w++ {
		set(w, false)
	}
	for _, id := range part.Syms[s] {
		if p.t.Kind(id) == dialect.DataFIPS {
			continue // has no types and points to nothing in the heap
		}
		typ := p.t.Gotype(id)
		if typ == 0 {
			if p.t.Size(id) == 0 {
				continue
			}
			symtab.Fail("variable %s of %d bytes has no type", p.t.Name(id), p.t.Size(id))
		}
		gotype.Pointers(p.t, typ, p.t.Addr[id]-section, func(off uint32) { set(off/addrSize, true) })
	}
	p.Image.Put(program.Start+from, b)
}
