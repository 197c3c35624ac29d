package program

import (
	"bytes"
	"fmt"

	"github.com/hotreflex/hr/link/layout"
	"github.com/hotreflex/hr/link/reloc"
	"github.com/hotreflex/hr/link/symtab"
)

// Verify computes every placed symbol anew and compares it with the image.
func (p *Program) Verify() (err error) {
	defer catch(&err)
	var scratch []byte
	for _, part := range p.parts {
		for s := layout.Text; s <= layout.Data; s++ {
			last := part.Range[s].Start
			for _, id := range part.Syms[s] {
				addr, size := p.t.Addr[id], p.t.Size(id)
				if p.t.Bits[id]&symtab.Live == 0 && part.pkg != nil {
					return fmt.Errorf("%s is placed but dead", p.t.Name(id))
				}
				if addr < last || addr+size > part.Range[s].End() {
					return fmt.Errorf("%s at %#x overlaps its neighbour in %s", p.t.Name(id), addr, part.Name)
				}
				last = addr + size
				scratch = append(scratch[:0], make([]byte, size)...)
				reloc.Fill(p.t, id, scratch, &p.bases, nil)
				if !bytes.Equal(scratch, p.Image.At(addr, size)) {
					return fmt.Errorf("%s of %s differs from its image", p.t.Name(id), part.Name)
				}
			}
		}
	}
	return nil
}
