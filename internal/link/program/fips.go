package program

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"

	"github.com/hotreflex/hr/internal/link/dialect"
	"github.com/hotreflex/hr/internal/link/layout"
	"github.com/hotreflex/hr/internal/link/symtab"
)

// fipsSyms describe the FIPS module to its self-check: an info record and one
// byte before and behind the module's part of four sections.
// (cmd/link/internal/ld/fips140.go)
type fipsSyms struct {
	info       symtab.ID
	start, end [layout.NSections]symtab.ID
}

const (
	fipsMagic   = "\xff Go fipsinfo \xff\x00"
	fipsSumAt   = 16
	fipsSumSize = 32
)

var fipsSections = []struct {
	name    string
	section layout.Section
	kind    dialect.Kind
}{
	{"text", layout.Text, dialect.TextFIPS},
	{"rodata", layout.Rodata, dialect.RodataFIPS},
	{"noptrdata", layout.Noptrdata, dialect.NoptrdataFIPS},
	{"data", layout.Data, dialect.DataFIPS},
}

func (p *Program) makeFIPS() {
	f := &p.made.fips
	info := symtab.MadeSym{Kind: dialect.Noptrdata, Align: 16, Size: fipsSumAt + fipsSumSize}
	info.Data = make([]byte, info.Size)
	copy(info.Data, fipsMagic)
	point := func(to symtab.ID) {
		info.Relocs = append(info.Relocs, symtab.RelocTo(int32(info.Size), addrSize, dialect.RelocAddr, 0, to))
		info.Size += addrSize
	}
	f.info = p.t.Make("go:fipsinfo", abi0, symtab.MadeSym{})
	point(f.info)
	for _, s := range fipsSections {
		bracket := symtab.MadeSym{Kind: s.kind, Align: 1, Size: 1}
		f.start[s.section] = p.t.Make("go:"+s.name+"fipsstart", abi0, bracket)
		f.end[s.section] = p.t.Make("go:"+s.name+"fipsend", abi0, bracket)
		point(f.start[s.section])
		point(f.end[s.section])
	}
	*p.t.MadeOf(f.info) = info
	p.t.MadeOf(f.info).Name = "go:fipsinfo"
	p.made.fixed = append(p.made.fixed, f.info)
}

// fipsBracket tells whether id is one of the brackets.
func (f *fipsSyms) bracket(id symtab.ID) bool {
	for _, s := range fipsSections {
		if id == f.start[s.section] || id == f.end[s.section] {
			return true
		}
	}
	return false
}

// sumFIPS writes the checksum of the module as it is in the image.
func (p *Program) sumFIPS() {
	f := &p.made.fips
	if p.t.Bits[f.info]&symtab.Live == 0 {
		return
	}
	h := hmac.New(sha256.New, make([]byte, 32))
	h.Write([]byte("go fips object v1\n"))
	for _, s := range fipsSections {
		start, end := p.t.Addr[f.start[s.section]], p.t.Addr[f.end[s.section]]
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(end-start)))
		h.Write(p.Image.At(start, end-start))
	}
	sum := h.Sum(nil)
	copy(p.t.MadeOf(f.info).Data[fipsSumAt:], sum)
	p.Image.Put(p.t.Addr[f.info]+fipsSumAt, sum)
}
