package pcln

import (
	"github.com/hotreflex/hr/internal/link/layout"
	"github.com/hotreflex/hr/internal/link/symtab"
)

// Size is the length of the block in bytes.
func (b *Block) Size() uint32 { return b.parts().end }

// parts are the offsets of the pieces of a block.
type parts struct{ names, files, cutab, pctab, inline, records, end uint32 }

func (b *Block) parts() (p parts) {
	p.files = p.names + uint32(len(b.names))
	p.cutab = align8(p.files + uint32(len(b.files)))
	p.pctab = p.cutab + 4*b.cutab
	p.inline = align8(p.pctab + uint32(len(b.pctab)))
	p.records = align8(p.inline + inlineSize*b.inlines)
	p.end = p.records + b.records
	return p
}

// Places are the addresses that tables of the whole program are relative to.
type Places struct {
	Text        uint32 // start of the text
	Rodata      uint32 // base of names, files, pc tables and funcdata
	Ftab        uint32 // base of function records
	DeferReturn symtab.ID
}

// Write makes the block that lies at addr, and the entries of its functions in
// the function table.
func (b *Block) Write(t *symtab.Table, addr uint32, at Places) (block, ftab []byte) {
	p := b.parts()
	block = make([]byte, p.end)
	ftab = make([]byte, 8*len(b.funcs))
	base := addr - at.Rodata // what offsets in the block become

	copy(block[p.names:], b.names)
	copy(block[p.files:], b.files)
	copy(block[p.pctab:], b.pctab)
	for _, u := range b.units {
		for i, off := range u.used {
			if off != none {
				off += base + p.files
			}
			le.PutUint32(block[p.cutab+4*(u.first+uint32(i)):], off)
		}
	}
	w := writer{b: b, t: t, at: at, block: block, p: p, base: base, inline: p.inline, record: p.records}
	for i := range b.funcs {
		f := &b.funcs[i]
		le.PutUint32(ftab[8*i:], t.Addr[f.id]-at.Text)
		le.PutUint32(ftab[8*i+4:], addr+w.record-at.Ftab)
		w.function(f)
	}
	return block, ftab
}

// Pad makes n unused entries of the function table. They stand at end, where no
// function begins, so that a lookup never stops at one; record is what they
// point to.
func Pad(n, end, record uint32, at Places) []byte {
	b := make([]byte, 0, 8*n)
	for range n {
		b = le.AppendUint32(b, end-at.Text)
		b = le.AppendUint32(b, record-at.Ftab)
	}
	return b
}

type writer struct {
	b              *Block
	t              *symtab.Table
	at             Places
	block          []byte
	p              parts
	base           uint32
	inline, record uint32 // where the next tree and the next record go
}

// function writes one record (runtime._func) and its inline tree.
func (w *writer) function(f *function) {
	r := w.block[w.record:]
	le.PutUint32(r[0:], w.t.Addr[f.id]-w.at.Text)
	le.PutUint32(r[4:], w.base+w.p.names+f.name)
	unit := none
	if f.unit >= 0 {
		unit = (w.base+w.p.cutab)/4 + w.b.units[f.unit].first
	}
	le.PutUint32(r[32:], unit)
	if f.unit >= 0 {
		le.PutUint32(r[12:], deferReturn(w.t, f.id, w.at.DeferReturn))
	}
	size := uint32(recordSize)
	if f.hasInfo {
		le.PutUint32(r[8:], f.info.Args())
		for i, pc := range f.pcs[:3] {
			le.PutUint32(r[16+4*i:], w.pc(pc))
		}
		le.PutUint32(r[28:], f.npcdata)
		le.PutUint32(r[36:], line(f.info.StartLine()))
		r[40], r[41] = f.info.FuncID(), f.info.Flag()
		r[43] = uint8(f.nfuncdata)
		tables := r[recordSize:]
		for i, pc := range f.pcdata {
			le.PutUint32(tables[4*i:], w.pc(pc))
		}
		tree := none
		if len(f.inline) > 0 {
			le.PutUint32(tables[4*pcdataInline:], w.pc(f.pcs[3]))
			tree = w.base + w.inlineTree(f)
		}
		tables = tables[4*f.npcdata:]
		for i := range f.nfuncdata {
			le.PutUint32(tables[4*i:], w.funcdata(f, i, tree))
		}
		size += 4*f.npcdata + 4*f.nfuncdata
	}
	w.record += align8(size)
}

func (w *writer) pc(at uint32) uint32 {
	if at == 0 {
		return 0
	}
	return w.base + w.p.pctab + at - 1
}

func (w *writer) funcdata(f *function, i, tree uint32) uint32 {
	if i == funcdataInline && len(f.inline) > 0 {
		return tree
	}
	if i >= uint32(len(f.funcdata)) || f.funcdata[i] == 0 {
		return none
	}
	return w.t.Addr[f.funcdata[i]] - w.at.Rodata
}

func (w *writer) inlineTree(f *function) uint32 {
	start := w.inline
	for i, n := range f.inline {
		b := w.block[start+uint32(i)*inlineSize:]
		b[0] = n.funcID
		le.PutUint32(b[4:], w.base+w.p.names+n.name)
		le.PutUint32(b[8:], n.parentPC)
		le.PutUint32(b[12:], n.startLine)
	}
	w.inline += inlineSize * uint32(len(f.inline))
	return start
}

// BucketSize is the length of one lookup bucket (runtime.findfuncbucket).
const BucketSize = 4 + 16

// FindFunc writes the lookup buckets of a chunk: for every 4096 bytes of text
// the lowest index of a function that reaches into it, and for every 256 bytes
// the distance from that. Buckets belong to one chunk,
// because its text range is aligned to them.
func FindFunc(t *symtab.Table, c *layout.Chunk) []byte {
	const (
		sub     = 16
		subSize = layout.Bucket / sub
		size    = BucketSize
	)
	r := c.Range[layout.Text]
	buckets := (r.Cap + layout.Bucket - 1) / layout.Bucket
	out := make([]byte, buckets*size)
	funcs := c.Syms[layout.Text]
	next := 0 // first function that starts behind the spot
	for i := range buckets {
		base := uint32(0)
		for j := range uint32(sub) {
			spot := r.Start + i*layout.Bucket + j*subSize
			for next < len(funcs) && t.Addr[funcs[next]] <= spot {
				next++
			}
			// The function before the spot covers it, and is the lowest that does.
			index := c.Funcs.Start + uint32(max(next-1, 0))
			if j == 0 {
				base = index
				le.PutUint32(out[i*size:], base)
			}
			if index-base > 0xff {
				symtab.Fail("too many functions in one bucket of %s", c.Name)
			}
			out[i*size+4+j] = uint8(index - base)
		}
	}
	return out
}
