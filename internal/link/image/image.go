// Package image holds the bytes of a program and knows which of them changed
// since it was last asked.
//
// It knows addresses and pages, not symbols. Put may be called concurrently for
// ranges that do not touch; everything else belongs to one goroutine.
package image

import (
	"bytes"
	"sync/atomic"
)

const pageShift = 12

// Image is the file part of a program in memory.
type Image struct {
	Base  uint32 // address of B[0]
	B     []byte
	dirty []atomic.Uint32 // one bit per page
}

// New returns an image of zeros for [base, end). Nothing is dirty.
func New(base, end uint32) *Image {
	n := int(end - base)
	pages := (n + 1<<pageShift - 1) >> pageShift
	return &Image{Base: base, B: make([]byte, n), dirty: make([]atomic.Uint32, (pages+31)/32)}
}

// At is the part of the image at addr; writing to it does not make it dirty.
func (m *Image) At(addr, n uint32) []byte {
	off := addr - m.Base
	return m.B[off : off+n : off+n]
}

// Put copies b to addr and notes the pages that changed.
func (m *Image) Put(addr uint32, b []byte) {
	if len(b) == 0 {
		return
	}
	at := m.At(addr, uint32(len(b)))
	if bytes.Equal(at, b) {
		return
	}
	copy(at, b)
	m.Touch(addr, uint32(len(b)))
}

// Touch notes that [addr, addr+n) changed.
func (m *Image) Touch(addr, n uint32) {
	if n == 0 {
		return
	}
	first := (addr - m.Base) >> pageShift
	last := (addr - m.Base + n - 1) >> pageShift
	for p := first; p <= last; p++ {
		bit := uint32(1) << (p & 31)
		if w := &m.dirty[p>>5]; w.Load()&bit == 0 {
			w.Or(bit)
		}
	}
}

// Span is a range of bytes of the file.
type Span struct{ Off, End int }

// TakeDirty returns the pages that changed since the last call, as spans in
// order of offset.
func (m *Image) TakeDirty() []Span {
	var spans []Span
	for i := range m.dirty {
		w := m.dirty[i].Swap(0)
		for b := 0; w != 0; b++ {
			if w&1 != 0 {
				off := (i*32 + b) << pageShift
				end := min(off+1<<pageShift, len(m.B))
				if n := len(spans); n > 0 && spans[n-1].End == off {
					spans[n-1].End = end
				} else {
					spans = append(spans, Span{off, end})
				}
			}
			w >>= 1
		}
	}
	return spans
}

// Union is the spans of a and b, in order and joined.
func Union(a, b []Span) []Span {
	var out []Span
	for len(a) > 0 || len(b) > 0 {
		var s Span
		if len(b) == 0 || len(a) > 0 && a[0].Off <= b[0].Off {
			s, a = a[0], a[1:]
		} else {
			s, b = b[0], b[1:]
		}
		if n := len(out); n > 0 && out[n-1].End >= s.Off {
			out[n-1].End = max(out[n-1].End, s.End)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// NonZero are the pages that hold anything but zeros, as spans in order.
func (m *Image) NonZero() []Span {
	var spans []Span
	var zero [1 << pageShift]byte
	for off := 0; off < len(m.B); off += len(zero) {
		end := min(off+len(zero), len(m.B))
		if bytes.Equal(m.B[off:end], zero[:end-off]) {
			continue
		}
		if n := len(spans); n > 0 && spans[n-1].End == off {
			spans[n-1].End = end
		} else {
			spans = append(spans, Span{off, end})
		}
	}
	return spans
}
