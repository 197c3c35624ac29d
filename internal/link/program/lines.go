package program

import (
	"runtime"
	"slices"

	"github.com/hotreflex/hr/internal/link/layout"
	"github.com/hotreflex/hr/internal/link/pcln"
	"github.com/hotreflex/hr/internal/link/symtab"
)

// blockFuncs is how many functions are worth a block of line tables of their
// own: with fewer, what blocks have in common weighs more than a processor.
const blockFuncs = 4000

// collect finds the line tables of parts. Those of the cold part are divided
// among the processors; every block repeats the names that it shares with others.
func (p *Program) collect(parts ...*part) {
	type job struct {
		part  *part
		block int
		funcs []symtab.ID
	}
	var jobs []job
	for _, part := range parts {
		funcs := part.Syms[layout.Text]
		n := min(runtime.GOMAXPROCS(0), len(funcs)/blockFuncs+1)
		part.lines = make([]*pcln.Block, n)
		if len(funcs) == 0 {
			part.lines[0] = pcln.Collect(p.t, nil, p.in.Root)
			continue
		}
		i := 0
		for piece := range slices.Chunk(funcs, (len(funcs)+n-1)/n) {
			jobs = append(jobs, job{part, i, piece})
			i++
		}
	}
	inParallel(len(jobs), func(i int) {
		j := jobs[i]
		j.part.lines[j.block] = pcln.Collect(p.t, j.funcs, p.in.Root)
	})
}

// measure finds the room that the part needs, line tables included.
func (part *part) measure(t *symtab.Table) {
	size := uint32(0)
	for _, b := range part.lines {
		size += b.Size()
	}
	part.Measure(t, size)
}

// fillLines writes the line tables of a part.
func (p *Program) fillLines(part *part) {
	l := p.layout
	text := part.Range[layout.Text]
	if text.Cap == 0 && part.Funcs.Cap == 0 {
		return
	}
	addr, entry := part.Pcln, l.Ftab.Start+8*part.Funcs.Start
	at := make([]struct{ addr, entry uint32 }, len(part.lines))
	for i, b := range part.lines {
		at[i].addr, at[i].entry = addr, entry
		addr += b.Size()
		entry += 8 * b.NFuncs()
	}
	inParallel(len(part.lines), func(i int) {
		block, ftab := part.lines[i].Write(p.t, at[i].addr, p.places)
		p.Image.Put(at[i].addr, block)
		p.Image.Put(at[i].entry, ftab)
	})
	unused := part.Funcs.Cap - part.NFuncs()
	p.Image.Put(entry, pcln.Pad(unused, text.End(), p.t.Addr[p.made.padFunc], p.places))
	bucket := (text.Start - l.Section[layout.Text].Start) / layout.Bucket
	p.Image.Put(l.FindFunc.Start+bucket*pcln.BucketSize, pcln.FindFunc(p.t, part.Chunk))
}

// padLines writes what no part has: unused entries at the end of the function
// table with the closing one, and buckets of the text's tail, which lead there.
func (p *Program) padLines() {
	l := p.layout
	text := l.Section[layout.Text]
	free := l.UnusedFuncs()
	p.Image.Put(l.Ftab.Start+8*free.Start, pcln.Pad(free.Cap+1, text.End(), p.t.Addr[p.made.padFunc], p.places))
	used := uint32(0)
	for _, c := range l.Chunks {
		used = max(used, c.Range[layout.Text].End()-text.Start)
	}
	bucket := make([]byte, pcln.BucketSize)
	le.PutUint32(bucket, max(free.Start, 1)-1)
	for at := used / layout.Bucket; at < text.Cap/layout.Bucket; at++ {
		p.Image.Put(l.FindFunc.Start+at*pcln.BucketSize, bucket)
	}
}
