package layout

import (
	"github.com/hotreflex/hr/internal/link/symtab"
)

// Base is the address of the file's first byte.
const Base = 0x400000

const page = 4096

// Layout is the address space of a program. All addresses are below 2^31, so
// that every relocation of the small code model fits.
type Layout struct {
	Chunks []*Chunk

	Section   [NSections]Range // whole sections, tails included
	PcHeader  uint32           // in the read-only segment
	Ftab      Range            // function table, Funcs+1 entries of 8 bytes
	Funcs     uint32           // entries, used or not
	FindFunc  Range            // lookup buckets
	GCData    Range            // pointer bits of Data
	GCBSS     Range            // pointer bits of BSS
	BuildInfo Range            // at the start of the writable segment
	Interp    Range            // name of the dynamic loader, with cgo

	next     [NSections]uint32 // start of the tail
	nextFunc uint32
}

const (
	pcHeaderSize   = 72
	ftabEntry      = 8
	findFuncBucket = 20
	headerSize     = 4096 // ELF and program headers, before the text
)

// Plan lays out chunks that have been measured. build is the size of the build
// info. first, if there is one, is a chunk of read-only symbols for the very
// start of the read-only segment, behind one word.
func Plan(t *symtab.Table, chunks []*Chunk, build uint32, first *Chunk) *Layout {
	l := &Layout{Chunks: chunks}
	at := uint64(Base + headerSize)
	at = l.section(t, Text, at, Bucket)
	for _, c := range chunks {
		c.Funcs = Range{l.Funcs, c.room(c.NFuncs(), slackFuncs)}
		l.Funcs += c.Funcs.Cap
	}
	l.nextFunc = l.Funcs
	l.Funcs += tailFuncs

	at = alignUp(at, page)
	start := at
	if first != nil {
		at += packedAlign
		first.Range[Rodata] = Range{uint32(at), first.Used[Rodata]}
		at = alignUp(l.check(at+uint64(first.Used[Rodata])), 64)
	}
	l.PcHeader = uint32(at)
	at = l.table(&l.Ftab, at+pcHeaderSize, (l.Funcs+1)*ftabEntry)
	at = l.table(&l.FindFunc, at, l.Section[Text].Cap/Bucket*findFuncBucket)
	gcdata, gcbss := &l.GCData, &l.GCBSS
	// The sizes of data and bss are not known yet, but their ranges can be
	// found without addresses: the plan of a section depends on its start only.
	at = l.table(gcdata, at, gcSize(l.extent(t, Data)))
	at = l.table(gcbss, at, gcSize(l.extent(t, BSS)))
	at = l.section(t, Rodata, at, chunkAlign)
	l.Section[Rodata] = Range{uint32(start), uint32(at - start)}

	at = alignUp(at, page)
	at = l.table(&l.BuildInfo, at, build)
	at = l.section(t, Noptrdata, at, chunkAlign)
	at = l.section(t, Data, at, chunkAlign)
	at = l.section(t, BSS, at, chunkAlign)
	l.section(t, NoptrBSS, at, chunkAlign)
	return l
}

// FileEnd is the address behind the last byte of the file.
func (l *Layout) FileEnd() uint32 { return l.Section[Data].End() }

// GCPayload is the number of bytes of pointer bits in one instruction of a GC
// program: 120 bits, the most that is whole bytes (runtime/mbitmap.go,
// runGCProg). All instructions are alike, so every bit has a fixed place.
const GCPayload = 15

// gcSize is the size of the GC program of a section of n bytes.
func gcSize(n uint32) uint32 {
	words := (n + 7) / 8
	return (words+8*GCPayload-1)/(8*GCPayload)*(GCPayload+1) + 1
}

func (l *Layout) table(r *Range, at uint64, size uint32) uint64 {
	at = alignUp(at, 16)
	*r = Range{uint32(at), size}
	return l.check(at + uint64(size))
}

func (l *Layout) check(at uint64) uint64 {
	if at >= 1<<31 {
		symtab.Fail("program does not fit into 2 GB")
	}
	return at
}

// section places all chunks of a section and its tail.
func (l *Layout) section(t *symtab.Table, s Section, at uint64, chunkAlign uint32) uint64 {
	at = alignUp(at, uint64(max(chunkAlign, l.maxAlign(t, s))))
	start := at
	for _, c := range l.Chunks {
		at = alignUp(at, uint64(max(chunkAlign, maxAlign(t, c.Syms[s], s))))
		room := c.room(c.Used[s], slack[s])
		if s == Text {
			room = align(room, Bucket)
		}
		c.Range[s] = Range{uint32(at), room}
		at = l.check(at + uint64(room))
	}
	at = alignUp(at, uint64(chunkAlign))
	l.next[s] = uint32(at)
	at = alignUp(l.check(at+uint64(tail[s])), uint64(chunkAlign))
	l.Section[s] = Range{uint32(start), uint32(at - start)}
	return at
}

// extent is the size that section will give to s.
func (l *Layout) extent(t *symtab.Table, s Section) uint32 {
	probe := Layout{Chunks: make([]*Chunk, len(l.Chunks))}
	for i, c := range l.Chunks {
		copy := *c
		probe.Chunks[i] = &copy
	}
	start := alignUp(0, uint64(max(chunkAlign, l.maxAlign(t, s))))
	probe.section(t, s, start, chunkAlign)
	return probe.Section[s].Cap
}

func (l *Layout) maxAlign(t *symtab.Table, s Section) uint32 {
	a := uint32(1)
	for _, c := range l.Chunks {
		a = max(a, maxAlign(t, c.Syms[s], s))
	}
	return a
}

func maxAlign(t *symtab.Table, syms []symtab.ID, s Section) uint32 {
	a := uint32(1)
	for _, id := range syms {
		a = max(a, Align(t, id, s))
	}
	return a
}

// room is what a chunk gets if it needs used.
func (c *Chunk) room(used, extra uint32) uint32 {
	if !c.Hot {
		return used
	}
	return align(used+used/2+extra, chunkAlign)
}

// Carve gives a measured chunk ranges from the tail. It reports false if one
// of them is too short; then nothing has changed.
func (l *Layout) Carve(t *symtab.Table, c *Chunk) bool {
	next, nextFunc := l.next, l.nextFunc
	var ranges [NSections]Range
	for s := range NSections {
		a := max(uint32(chunkAlign), maxAlign(t, c.Syms[s], s))
		room := c.room(c.Used[s], slack[s])
		if s == Text {
			a, room = max(a, Bucket), align(room, Bucket)
		}
		start := alignUp(uint64(next[s]), uint64(a))
		if start+uint64(room) > uint64(l.Section[s].End()) {
			return false
		}
		ranges[s] = Range{uint32(start), room}
		next[s] = uint32(start) + room
	}
	funcs := Range{nextFunc, c.room(c.NFuncs(), slackFuncs)}
	if funcs.End() > l.Funcs {
		return false
	}
	c.Range, c.Funcs = ranges, funcs
	l.next, l.nextFunc = next, funcs.End()
	l.Chunks = append(l.Chunks, c)
	return true
}

// TailFree is the smallest share of a tail that is left, 0 to 1.
func (l *Layout) TailFree() float64 {
	free := 1.0
	for s := range NSections {
		free = min(free, float64(l.Section[s].End()-l.next[s])/float64(tail[s]))
	}
	return min(free, float64(l.Funcs-l.nextFunc)/tailFuncs)
}

// UnusedFuncs is the range of function table entries that no chunk has.
func (l *Layout) UnusedFuncs() Range { return Range{l.nextFunc, l.Funcs - l.nextFunc} }
