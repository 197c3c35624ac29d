package program

import (
	stdelf "debug/elf"
	"encoding/binary"

	"github.com/hotreflex/hr/internal/link/elf"
	"github.com/hotreflex/hr/internal/link/gotype"
	"github.com/hotreflex/hr/internal/link/layout"
	"github.com/hotreflex/hr/internal/link/symtab"
)

// fillTables writes what belongs to the program as a whole. It is done in every
// link; most of it comes out the same.
func (p *Program) fillTables() {
	l := p.layout
	m := &p.made
	ro := l.Section[layout.Rodata]

	// One text section, as the runtime's textsect.
	text := l.Section[layout.Text]
	sect := p.t.MadeOf(m.textsect)
	sect.Data = le.AppendUint64(le.AppendUint64(make([]byte, 8), uint64(text.Cap)), uint64(text.Start))

	// Function record of unused entries: no name, no tables, no unit.
	pad := p.t.MadeOf(m.padFunc)
	pad.Data = make([]byte, pad.Size)
	le.PutUint32(pad.Data[32:], ^uint32(0))

	p.writeTypeLists()
	m.moduledata.Data = p.moduledata()
	if p.d.ContiguousTypes {
		p.t.MadeOf(m.second).Data = p.secondModule()
	}

	header := make([]byte, 72) // runtime.pcHeader
	le.PutUint32(header, 0xfffffff1)
	header[6], header[7] = 1, addrSize
	le.PutUint64(header[8:], uint64(l.Funcs))
	files := uint32(0)
	for _, part := range p.parts {
		for _, b := range part.lines {
			files += b.NFiles()
		}
	}
	le.PutUint64(header[16:], uint64(files))
	if p.d.TextStartInHeader {
		le.PutUint64(header[24:], uint64(text.Start))
	}
	// Names, files and pc tables are all relative to the read-only section,
	// where the header lies; only the function table has a place of its own.
	le.PutUint64(header[64:], uint64(l.Ftab.Start-ro.Start))
	p.Image.Put(l.PcHeader, header)
}

// module is a runtime.moduledata under construction. Names and offsets of its
// fields come from the type descriptor.
type module struct {
	b      []byte
	fields map[string]uint32
}

func newModule(p *Program) *module {
	m := &module{make([]byte, p.made.moduledata.Size), map[string]uint32{}}
	for _, f := range gotype.Fields(p.t, p.require("type:runtime.moduledata", abi0)) {
		m.fields[f.Name] = f.Offset
	}
	return m
}

// set fills a word; a field that this version does not have is left out.
func (m *module) set(name string, v uint32) {
	if off, ok := m.fields[name]; ok {
		le.PutUint64(m.b[off:], uint64(v))
	}
}

func (m *module) slice(name string, addr, n uint32) {
	if off, ok := m.fields[name]; ok {
		le.PutUint64(m.b[off:], uint64(addr))
		le.PutUint64(m.b[off+8:], uint64(n))
		le.PutUint64(m.b[off+16:], uint64(n))
	}
}

// zeroFields are zero in a program without plugins and shared libraries.
var zeroFields = []string{
	"NotInHeap", "ptab", "pluginpath", "pkghashes", "modulename", "modulehashes",
	"bad", "gcdatamask", "gcbssmask", "typemap", "next",
}

// moduledata makes the content of runtime.firstmoduledata. A field that is not
// known here may mean anything, so it ends the link.
func (p *Program) moduledata() []byte {
	l := p.layout
	made := &p.made
	ro := l.Section[layout.Rodata]
	m := newModule(p)
	known := map[string]bool{"hasmain": true}
	set := func(name string, v uint32) { known[name] = true; m.set(name, v) }
	slice := func(name string, addr, n uint32) { known[name] = true; m.slice(name, addr, n) }
	entries := func(id symtab.ID, size uint32) uint32 { return p.t.Size(id) / size }

	slice("funcnametab", ro.Start, ro.Cap)
	slice("filetab", ro.Start, ro.Cap)
	slice("pctab", ro.Start, ro.Cap)
	slice("cutab", ro.Start, ro.Cap/4)
	slice("pclntable", l.Ftab.Start, ro.End()-l.Ftab.Start)
	slice("ftab", l.Ftab.Start, l.Funcs+1)
	slice("textsectmap", p.t.Addr[made.textsect], 1)
	slice("inittasks", p.t.Addr[made.mainList], entries(made.mainList, addrSize))
	for name, addr := range p.addresses() {
		set(name, addr)
	}
	for _, name := range zeroFields {
		known[name] = true
	}
	if p.d.ContiguousTypes {
		for name, v := range p.runFields(p.coldTypes, len(p.types.cold), len(p.types.coldItabs)) {
			if name != "etypes" { // the second run lies inside of the first module
				set(name, v)
			}
		}
		set("next", p.t.Addr[made.second])
	} else {
		slice("typelinks", p.t.Addr[made.typelinks], entries(made.typelinks, 4))
		slice("itablinks", p.t.Addr[made.itablinks], entries(made.itablinks, addrSize))
	}
	for name := range m.fields {
		if !known[name] {
			symtab.Fail("runtime.moduledata has an unknown field %s", name)
		}
	}
	m.b[m.fields["hasmain"]] = 1
	return m.b
}

// buildInfo is what "go version -m" looks for at the start of the writable
// segment (debug/buildinfo).
func (p *Program) buildInfo() []byte {
	b := make([]byte, 32)
	copy(b, "\xff Go buildinf:")
	b[14], b[15] = addrSize, 2 // strings follow the header
	for _, name := range []string{p.version, p.in.ModInfo} {
		b = binary.AppendUvarint(b, uint64(len(name)))
		b = append(b, name...)
	}
	for len(b)%16 != 0 {
		b = append(b, 0)
	}
	return b
}

// pageAlign is the alignment of segments.
const pageAlign = 4096

// writeHeader writes ELF header and program headers.
func (p *Program) writeHeader() {
	l := p.layout
	s := &l.Section
	text, ro := s[layout.Text].End(), s[layout.Rodata]
	segments := []elf.Segment{
		{Type: stdelf.PT_LOAD, Flags: stdelf.PF_R | stdelf.PF_X, Start: layout.Base, FileEnd: text, End: text, Align: pageAlign},
		{Type: stdelf.PT_LOAD, Flags: stdelf.PF_R, Start: ro.Start, FileEnd: ro.End(), End: ro.End(), Align: pageAlign},
		{Type: stdelf.PT_LOAD, Flags: stdelf.PF_R | stdelf.PF_W, Start: l.BuildInfo.Start, FileEnd: l.FileEnd(), End: s[layout.NoptrBSS].End(), Align: pageAlign},
		{Type: stdelf.PT_GNU_STACK, Flags: stdelf.PF_R | stdelf.PF_W, Align: 8},
	}
	if d := p.host.dynamic; d != nil {
		at := func(id symtab.ID) (start, end uint32) { return p.t.Addr[id], p.t.Addr[id] + p.t.Size(id) }
		interp, interpEnd := at(d.interp)
		table, tableEnd := at(d.table)
		segments = append(segments,
			elf.Segment{Type: stdelf.PT_INTERP, Flags: stdelf.PF_R, Start: interp, FileEnd: interpEnd, End: interpEnd, Align: 1},
			elf.Segment{Type: stdelf.PT_DYNAMIC, Flags: stdelf.PF_R | stdelf.PF_W, Start: table, FileEnd: tableEnd, End: tableEnd, Align: addrSize},
			// One word, so that it lies just below the thread pointer, where
			// the runtime expects g (runtime.tlsg).
			elf.Segment{Type: stdelf.PT_TLS, Flags: stdelf.PF_R, Start: l.FileEnd(), FileEnd: l.FileEnd(), End: l.FileEnd() + addrSize, Align: addrSize},
		)
	}
	p.Image.Put(layout.Base, elf.Header(layout.Base, p.entry(), segments))
}
