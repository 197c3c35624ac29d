// Package layout gives symbols their addresses.
//
// A program is cut into chunks: one for all cold symbols, one for the FIPS
// module, one per hot package, and later small ones for cold symbols that are
// reached for the first time. A chunk has one range in every section and one in
// the function table. The ranges of hot chunks have slack, so that a package
// that grows stays where it is; behind the last chunk every section has a tail
// from which new chunks are carved.
//
// The order of chunks is the same in all sections, and text ranges are aligned
// to the buckets of the runtime's function lookup, so the tables of one chunk
// can be written without looking at another.
//
// It writes no bytes (package image) and computes no relocations (package
// reloc). A Layout belongs to one goroutine while it changes.
package layout

import (
	"fmt"

	"github.com/hotreflex/hr/internal/link/dialect"
	"github.com/hotreflex/hr/internal/link/symtab"
)

// Section is a part of the program that holds one kind of symbols.
type Section int

const (
	Text Section = iota
	Rodata
	Noptrdata
	Data
	BSS
	NoptrBSS
	NSections
)

// SectionOf is where symbols of kind k go; ok is false for those without a place.
func SectionOf(k dialect.Kind) (s Section, ok bool) {
	switch k {
	case dialect.Text, dialect.TextFIPS:
		return Text, true
	case dialect.Rodata, dialect.RodataFIPS:
		return Rodata, true
	case dialect.Noptrdata, dialect.NoptrdataFIPS:
		return Noptrdata, true
	case dialect.Data, dialect.DataFIPS:
		return Data, true
	case dialect.BSS:
		return BSS, true
	case dialect.NoptrBSS:
		return NoptrBSS, true
	}
	return 0, false
}

// Range is a piece of a section, [Start, Start+Cap).
type Range struct{ Start, Cap uint32 }

func (r Range) End() uint32 { return r.Start + r.Cap }

// Chunk is a set of symbols that are placed together.
type Chunk struct {
	Name    string
	Hot     bool
	Packed  bool                   // read-only symbols follow each other without gaps
	Syms    [NSections][]symtab.ID // in order of address
	Range   [NSections]Range
	Used    [NSections]uint32 // bytes of the range in use
	Funcs   Range             // entries of the function table
	Pcln    uint32            // address of the chunk's line tables, in its rodata range
	PclnCap uint32            // their size
}

// Add puts a live symbol into the chunk. Symbols are placed in order of Add.
func (c *Chunk) Add(t *symtab.Table, id symtab.ID) {
	if s, ok := SectionOf(t.Kind(id)); ok {
		c.Syms[s] = append(c.Syms[s], id)
	}
}

const (
	// Bucket is the piece of text that one entry of the runtime's function
	// lookup covers (internal/abi.FuncTabBucketSize).
	Bucket = 4096
	// TextAlign is the alignment of functions; with minFunc it bounds the
	// functions of a sixteenth of a bucket to what a byte can count.
	TextAlign = 32
	minFunc   = 16
	// packedAlign is the alignment of symbols of a packed chunk: type descriptors
	// and itabs, which the runtime walks from one to the next.
	packedAlign = 8
	// chunkAlign keeps chunks off each other's cache lines.
	chunkAlign = 64
)

// slack is the room that a hot chunk gets beyond its needs: half as much again,
// and enough for a first function, type or variable in a package without one.
var slack = [NSections]uint32{
	Text: 32 << 10, Rodata: 48 << 10, Noptrdata: 4 << 10, Data: 4 << 10, BSS: 4 << 10, NoptrBSS: 4 << 10,
}

// tail is the room behind the last chunk: enough for the functions of a large
// standard package and for a hot chunk to move once.
var tail = [NSections]uint32{
	Text: 1 << 20, Rodata: 2 << 20, Noptrdata: 128 << 10, Data: 128 << 10, BSS: 256 << 10, NoptrBSS: 256 << 10,
}

const (
	slackFuncs = 128
	tailFuncs  = 4096
)

// Align is the alignment of a symbol: what the compiler asks for, else the
// largest power of two that its size has room for, up to 32.
func Align(t *symtab.Table, id symtab.ID, s Section) uint32 {
	if s == Text {
		return max(TextAlign, t.Align(id))
	}
	if a := t.Align(id); a != 0 {
		return a
	}
	size, a := t.Size(id), uint32(32)
	for a > 1 && a > size {
		a >>= 1
	}
	return a
}

// Measure finds the room that the chunk needs in each section; pcln is the size
// of its line tables.
func (c *Chunk) Measure(t *symtab.Table, pcln uint32) {
	for s := range NSections {
		c.Used[s] = c.walk(t, s, 0, func(symtab.ID, uint32) {})
	}
	c.PclnCap = pcln
	c.Used[Rodata] = align(c.Used[Rodata], 8) + pcln
}

// walk goes over the symbols of a section with their offsets from start.
func (c *Chunk) walk(t *symtab.Table, s Section, start uint32, f func(symtab.ID, uint32)) uint32 {
	at := uint64(start)
	for _, id := range c.Syms[s] {
		a := Align(t, id, s)
		if c.Packed {
			a = packedAlign
		}
		at = alignUp(at, uint64(a))
		f(id, uint32(at))
		size := uint64(t.Size(id))
		if s == Text {
			size = max(size, minFunc)
		}
		at += size
		if at > 1<<31 {
			symtab.Fail("section %d of %s is too large", s, c.Name)
		}
	}
	return uint32(at) - start
}

// Assign writes the addresses of the chunk's symbols to the table.
func (c *Chunk) Assign(t *symtab.Table) {
	for s := range NSections {
		end := c.Range[s].Start + c.walk(t, s, c.Range[s].Start, func(id symtab.ID, addr uint32) { t.Addr[id] = addr })
		if s == Rodata {
			c.Pcln = align(end, 8)
		}
	}
}

// NFuncs is the number of functions of the chunk.
func (c *Chunk) NFuncs() uint32 { return uint32(len(c.Syms[Text])) }

// Fits tells whether the measured chunk fits into the ranges it has.
func (c *Chunk) Fits() bool {
	for s := range NSections {
		if c.Used[s] > c.Range[s].Cap {
			return false
		}
	}
	return c.NFuncs() <= c.Funcs.Cap
}

func (c *Chunk) String() string {
	return fmt.Sprintf("%s: text %d/%d rodata %d/%d functions %d/%d", c.Name,
		c.Used[Text], c.Range[Text].Cap, c.Used[Rodata], c.Range[Rodata].Cap, c.NFuncs(), c.Funcs.Cap)
}

func align(x, a uint32) uint32   { return (x + a - 1) &^ (a - 1) }
func alignUp(x, a uint64) uint64 { return (x + a - 1) &^ (a - 1) }
