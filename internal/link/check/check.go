// Package check looks a program up the way the Go runtime does.
//
// Given the bytes of a segment and a moduledata in it, it finds functions,
// files, lines, inlined calls, types and pointer masks by the runtime's own
// steps and with none of the linker's knowledge, so that a mistake in the tables
// shows before a program runs into it. It does not compare symbols: that is
// program.Verify, its caller. A Module is read-only.
//
// The steps are those of GOROOT/src/runtime/symtab.go.
package check

import (
	"encoding/binary"
	"fmt"
)

// Module is a Go module (in the runtime's sense) in memory.
type Module struct {
	Base uint32 // address of Mem[0]
	Mem  []byte

	Text, TextEnd uint32
	Ftab, NFtab   uint32 // entries with the closing one
	FindFunc      uint32
	Pclntable     uint32
	Names         uint32 // also base of files, cutab and pctab
}

// Func is a function of the table.
type Func struct {
	m      *Module
	Entry  uint32
	record uint32
}

var le = binary.LittleEndian

func (m *Module) u32(addr uint32) uint32 { return le.Uint32(m.Mem[addr-m.Base:]) }

func (m *Module) string(addr uint32) string {
	b := m.Mem[addr-m.Base:]
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return ""
}

// Tables checks what the runtime checks at start: function entries are sorted
// and fill the text exactly.
func (m *Module) Tables() error {
	last := uint32(0)
	for i := range m.NFtab {
		e := m.u32(m.Ftab + 8*i)
		if e < last {
			return fmt.Errorf("function table is not sorted at %d of %d", i, m.NFtab)
		}
		last = e
	}
	if first := m.u32(m.Ftab); first != 0 {
		return fmt.Errorf("text begins %#x before the first function", first)
	}
	if last != m.TextEnd-m.Text {
		return fmt.Errorf("function table ends at %#x, text at %#x", last, m.TextEnd-m.Text)
	}
	return nil
}

// Find looks up the function that covers pc (runtime.findfunc).
func (m *Module) Find(pc uint32) (f Func, err error) {
	if pc < m.Text || pc >= m.TextEnd {
		return f, fmt.Errorf("%#x is not in the text", pc)
	}
	off := pc - m.Text
	bucket := m.FindFunc + off/4096*20
	i := m.u32(bucket) + uint32(m.Mem[bucket+4+off%4096/256-m.Base])
	for {
		if i+1 >= m.NFtab {
			return f, fmt.Errorf("lookup of %#x leaves the function table", pc)
		}
		if m.u32(m.Ftab+8*(i+1)) > off {
			break
		}
		i++
	}
	f = Func{m, m.Text + m.u32(m.Ftab+8*i), m.Pclntable + m.u32(m.Ftab+8*i+4)}
	if f.Entry > pc {
		return f, fmt.Errorf("lookup of %#x finds a function at %#x", pc, f.Entry)
	}
	if got := m.Text + m.u32(f.record); got != f.Entry {
		return f, fmt.Errorf("record of function at %#x says %#x", f.Entry, got)
	}
	return f, nil
}

// Name is the function's name.
func (f Func) Name() string { return f.m.string(f.m.Names + f.m.u32(f.record+4)) }

// Pos is file and line of a program counter in the function; the file is empty
// if the function has no tables.
func (f Func) Pos(pc uint32) (file string, line int32, err error) {
	n, ok, err := f.value(f.m.u32(f.record+20), pc)
	if err != nil || !ok {
		return "", 0, err
	}
	line, _, err = f.value(f.m.u32(f.record+24), pc)
	if err != nil {
		return "", 0, err
	}
	cu := f.m.u32(f.record + 32)
	at := f.m.u32(f.m.Names + 4*(cu+uint32(n)))
	if at == ^uint32(0) {
		return "", 0, fmt.Errorf("%s: file %d has no name", f.Name(), n)
	}
	return f.m.string(f.m.Names + at), line, nil
}

// StackDelta is the frame size at pc.
func (f Func) StackDelta(pc uint32) (int32, error) {
	v, _, err := f.value(f.m.u32(f.record+16), pc)
	return v, err
}

// value is the value of a pc table at pc (runtime.pcvalue); ok is false if
// there is no table.
func (f Func) value(table, pc uint32) (v int32, ok bool, err error) {
	if table == 0 {
		return 0, false, nil
	}
	b := f.m.Mem[f.m.Names+table-f.m.Base:]
	v = -1
	at := f.Entry
	for first := true; ; first = false {
		d, n := binary.Uvarint(b)
		if n <= 0 || d == 0 && !first {
			return 0, false, fmt.Errorf("%s: no value for %#x", f.Name(), pc)
		}
		b = b[n:]
		v += int32(d>>1) ^ -int32(d&1)
		d, n = binary.Uvarint(b)
		if n <= 0 {
			return 0, false, fmt.Errorf("%s: table is cut off", f.Name())
		}
		b = b[n:]
		at += uint32(d)
		if pc < at {
			return v, true, nil
		}
	}
}
