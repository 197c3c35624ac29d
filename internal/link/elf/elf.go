// Package elf writes the headers of a Linux executable.
//
// Only what the kernel and the dynamic loader read is written: no sections, no
// symbols. The caller owns the addresses; file offset and address differ by a
// constant.
package elf

import (
	"debug/elf"
	"encoding/binary"
)

// Segment is one program header.
type Segment struct {
	Type         elf.ProgType
	Flags        elf.ProgFlag
	Start        uint32 // address
	FileEnd, End uint32 // addresses behind the part in the file and in memory
	Align        uint32
}

const (
	headerSize = 64
	progSize   = 56
)

// Size is the length of headers with n segments.
func Size(n int) int { return headerSize + n*progSize }

// Header makes the ELF header and program headers of an x86-64 executable whose
// first byte has the address base.
func Header(base, entry uint32, segments []Segment) []byte {
	le := binary.LittleEndian
	b := make([]byte, Size(len(segments)))
	copy(b, elf.ELFMAG)
	b[elf.EI_CLASS] = byte(elf.ELFCLASS64)
	b[elf.EI_DATA] = byte(elf.ELFDATA2LSB)
	b[elf.EI_VERSION] = byte(elf.EV_CURRENT)
	le.PutUint16(b[16:], uint16(elf.ET_EXEC))
	le.PutUint16(b[18:], uint16(elf.EM_X86_64))
	le.PutUint32(b[20:], uint32(elf.EV_CURRENT))
	le.PutUint64(b[24:], uint64(entry))
	le.PutUint64(b[32:], headerSize) // program headers follow
	le.PutUint16(b[52:], headerSize)
	le.PutUint16(b[54:], progSize)
	le.PutUint16(b[56:], uint16(len(segments)))
	le.PutUint16(b[58:], 64) // size of a section header; there are none
	for i, s := range segments {
		p := b[headerSize+i*progSize:]
		le.PutUint32(p, uint32(s.Type))
		le.PutUint32(p[4:], uint32(s.Flags))
		if s.Start != 0 {
			le.PutUint64(p[8:], uint64(s.Start-base))
		}
		le.PutUint64(p[16:], uint64(s.Start))
		le.PutUint64(p[24:], uint64(s.Start))
		le.PutUint64(p[32:], uint64(s.FileEnd-s.Start))
		le.PutUint64(p[40:], uint64(s.End-s.Start))
		le.PutUint64(p[48:], uint64(s.Align))
	}
	return b
}
