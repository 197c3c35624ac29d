// Package hostobj reads the ELF objects that the C compiler makes for cgo.
//
// Parse turns one object into sections, global names and relocations in a form
// that a linker of static code can use. Only what gcc and clang write for plain
// C without thread-local data, constructors or exception tables is understood;
// anything else is an error. It does not resolve names across objects.
//
// Package program calls it. Objects are read-only after Parse.
//
// Format: System V ABI, AMD64 supplement (gitlab.com/x86-psABIs/x86-64-ABI);
// compare GOROOT/src/cmd/link/internal/loadelf.
package hostobj

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"
)

// Class says what a section holds.
type Class int

const (
	Code Class = iota
	ReadOnly
	Writable
	Zero // writable, without content
)

// Section is a piece of the program that stays in one piece.
type Section struct {
	Name   string
	Class  Class
	Size   uint64
	Align  uint64
	Data   []byte // empty for Zero; a copy, relaxations have been written to it
	Relocs []Reloc
}

// RelocKind is how a relocation is computed.
type RelocKind int

const (
	PCRel  RelocKind = iota // 4 bytes: target + Add - place
	Call                    // the same; a function in a shared library goes through a stub
	Abs64                   // 8 bytes: target + Add
	Abs32                   // 4 bytes: the same
	GOTRel                  // 4 bytes: address of a word that holds the target, + Add - place
)

// Reloc is a relocation of a section.
type Reloc struct {
	Off  uint32
	Kind RelocKind
	Add  int64
	// The target is a section of the same object, or else a global name.
	Section int // -1: Name
	Name    string
	// Relax is the offset of a mov opcode that may be made a lea if the target
	// is in the program, or 0 (psABI, "Optimize GOTPCRELX relocations").
	Relax uint32
}

// Global is a name that the object defines.
type Global struct {
	Name    string
	Section int
	Off     uint64
	Weak    bool
}

// Object is what a linker needs of an object file.
type Object struct {
	Sections []Section
	Globals  []Global
}

// Parse reads one relocatable object.
func Parse(data []byte) (*Object, error) {
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if f.Machine != elf.EM_X86_64 || f.Type != elf.ET_REL || f.Class != elf.ELFCLASS64 {
		return nil, fmt.Errorf("not a relocatable object for x86-64")
	}
	p := &parser{f: f, index: map[int]int{}}
	for i, s := range f.Sections {
		if err := p.section(i, s); err != nil {
			return nil, err
		}
	}
	if p.syms, err = f.Symbols(); err != nil && err != elf.ErrNoSymbols {
		return nil, err
	}
	for i := range p.syms {
		if err := p.symbol(&p.syms[i]); err != nil {
			return nil, err
		}
	}
	for _, s := range f.Sections {
		if err := p.relocs(s); err != nil {
			return nil, err
		}
	}
	return &p.o, nil
}

// unwindType is SHT_X86_64_UNWIND, a type that some assemblers give to sections
// of tables.
const unwindType = 0x70000001

// maxSize is more than any section of a C file that people write by hand has.
const maxSize = 1 << 28

// alignOK tells whether n is an alignment that a program can give.
func alignOK(n uint64) bool { return n&(n-1) == 0 && n <= 4096 }

type parser struct {
	f     *elf.File
	o     Object
	index map[int]int // ELF section to Object.Sections
	syms  []elf.Symbol
}

func (p *parser) section(i int, s *elf.Section) error {
	if s.Flags&elf.SHF_ALLOC == 0 || s.Name == ".eh_frame" || s.Type == elf.SHT_NOTE {
		return nil
	}
	switch {
	case s.Flags&elf.SHF_TLS != 0:
		return fmt.Errorf("section %s is thread-local", s.Name)
	case s.Flags&elf.SHF_GROUP != 0 || s.Type == elf.SHT_INIT_ARRAY || s.Type == elf.SHT_FINI_ARRAY ||
		s.Type == elf.SHT_PREINIT_ARRAY || strings.HasPrefix(s.Name, ".ctors") || strings.HasPrefix(s.Name, ".gcc_except_table"):
		return fmt.Errorf("section %s needs the system's linker", s.Name)
	case s.Flags&elf.SHF_COMPRESSED != 0 || s.Size > maxSize || !alignOK(s.Addralign):
		return fmt.Errorf("section %s is of an unknown form", s.Name)
	}
	out := Section{Name: s.Name, Size: s.Size, Align: max(s.Addralign, 1)}
	switch {
	case s.Type == elf.SHT_NOBITS:
		out.Class = Zero
	case s.Type != elf.SHT_PROGBITS && s.Type != unwindType:
		return fmt.Errorf("section %s is of unknown type %v", s.Name, s.Type)
	case s.Flags&elf.SHF_EXECINSTR != 0:
		out.Class = Code
	case s.Flags&elf.SHF_WRITE != 0:
		out.Class = Writable
	default:
		out.Class = ReadOnly
	}
	if out.Class != Zero {
		data, err := s.Data()
		if err != nil {
			return fmt.Errorf("section %s: %w", s.Name, err)
		}
		out.Data = data
	}
	p.index[i] = len(p.o.Sections)
	p.o.Sections = append(p.o.Sections, out)
	return nil
}

// symbol records a global definition. Common variables become sections.
func (p *parser) symbol(s *elf.Symbol) error {
	bind := elf.ST_BIND(s.Info)
	if elf.ST_TYPE(s.Info) == elf.STT_TLS {
		return fmt.Errorf("symbol %s is thread-local", s.Name)
	}
	if elf.ST_TYPE(s.Info) == elf.STT_GNU_IFUNC {
		return fmt.Errorf("symbol %s is chosen at run time", s.Name)
	}
	if bind == elf.STB_LOCAL || s.Section == elf.SHN_UNDEF {
		return nil
	}
	if s.Section == elf.SHN_COMMON {
		if s.Size > maxSize || !alignOK(s.Value) {
			return fmt.Errorf("symbol %s is of an unknown form", s.Name)
		}
		p.o.Sections = append(p.o.Sections, Section{Name: s.Name, Class: Zero, Size: s.Size, Align: max(s.Value, 1)})
		p.o.Globals = append(p.o.Globals, Global{Name: s.Name, Section: len(p.o.Sections) - 1})
		return nil
	}
	i, ok := p.index[int(s.Section)]
	if !ok {
		return fmt.Errorf("symbol %s is in section %d, which is not in the program", s.Name, s.Section)
	}
	if s.Value > p.o.Sections[i].Size {
		return fmt.Errorf("symbol %s is outside of its section", s.Name)
	}
	p.o.Globals = append(p.o.Globals, Global{Name: s.Name, Section: i, Off: s.Value, Weak: bind == elf.STB_WEAK})
	return nil
}

func (p *parser) relocs(s *elf.Section) error {
	if s.Type == elf.SHT_REL {
		if _, ok := p.index[int(s.Info)]; ok {
			return fmt.Errorf("section %s has relocations without addends", s.Name)
		}
	}
	if s.Type != elf.SHT_RELA {
		return nil
	}
	i, ok := p.index[int(s.Info)]
	if !ok {
		return nil
	}
	data, err := s.Data()
	if err != nil {
		return err
	}
	const size = 24
	for ; len(data) >= size; data = data[size:] {
		off := binary.LittleEndian.Uint64(data)
		info := binary.LittleEndian.Uint64(data[8:])
		add := int64(binary.LittleEndian.Uint64(data[16:]))
		if err := p.reloc(&p.o.Sections[i], off, elf.R_X86_64(info&0xffffffff), int(info>>32), add); err != nil {
			return fmt.Errorf("section %s: %w", p.o.Sections[i].Name, err)
		}
	}
	return nil
}

func (p *parser) reloc(s *Section, off uint64, typ elf.R_X86_64, sym int, add int64) error {
	r := Reloc{Off: uint32(off), Add: add, Section: -1}
	size := uint64(4)
	switch typ {
	case elf.R_X86_64_PC32:
		r.Kind = PCRel
	case elf.R_X86_64_PLT32:
		r.Kind = Call
	case elf.R_X86_64_64:
		r.Kind, size = Abs64, 8
	case elf.R_X86_64_32, elf.R_X86_64_32S:
		r.Kind = Abs32
	case elf.R_X86_64_GOTPCREL, elf.R_X86_64_GOTPCRELX, elf.R_X86_64_REX_GOTPCRELX:
		r.Kind = GOTRel
	default:
		return fmt.Errorf("relocation %v is not supported", typ)
	}
	if off+size > uint64(len(s.Data)) {
		return fmt.Errorf("relocation at %#x is outside of the section", off)
	}
	const movOpcode = 0x8b
	if r.Kind == GOTRel && typ != elf.R_X86_64_GOTPCREL && off >= 2 && s.Data[off-2] == movOpcode {
		r.Relax = uint32(off - 2)
	}
	if sym == 0 || sym > len(p.syms) {
		return fmt.Errorf("relocation of symbol %d", sym)
	}
	target := &p.syms[sym-1]
	if elf.ST_BIND(target.Info) != elf.STB_LOCAL {
		if r.Name = target.Name; r.Name == "" {
			return fmt.Errorf("relocation of a symbol without a name")
		}
	} else {
		i, ok := p.index[int(target.Section)]
		if !ok {
			return fmt.Errorf("relocation to a section that is not in the program")
		}
		if target.Value > p.o.Sections[i].Size {
			return fmt.Errorf("symbol %s is outside of its section", target.Name)
		}
		r.Section = i
		r.Add += int64(target.Value)
	}
	s.Relocs = append(s.Relocs, r)
	return nil
}
