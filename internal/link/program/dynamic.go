package program

import (
	stdelf "debug/elf"
	"slices"

	"github.com/hotreflex/hr/internal/link/dialect"
	"github.com/hotreflex/hr/internal/link/goobj"
	"github.com/hotreflex/hr/internal/link/symtab"
)

// dynamicPart is what the dynamic loader reads. Every import has a slot, a word
// that the loader fills at start (no lazy binding), and functions that host code
// calls have a stub that jumps through it. Versions of imports are essential:
// without them the loader binds the oldest, incompatible ones.
type dynamicPart struct {
	imports []*dynamicImport
	used    map[string]*dynamicImport
	interp  symtab.ID // path of the loader
	table   symtab.ID // the dynamic section
}

type dynamicImport struct {
	imp        importName
	slot, stub symtab.ID
}

type importName struct{ name, version, library string }

// imported makes the slot of an import when it is first used.
func (p *Program) imported(local string, imp struct{ Name, Version, Library string }) *dynamicImport {
	d := p.host.dynamic
	if have := d.used[local]; have != nil {
		return have
	}
	x := &dynamicImport{imp: importName{imp.Name, imp.Version, imp.Library}}
	x.slot = p.t.MakeLocal("go:got."+local, symtab.MadeSym{Kind: dialect.Noptrdata, Align: addrSize, Size: addrSize})
	d.used[local] = x
	d.imports = append(d.imports, x)
	return x
}

// stub is a function that jumps to the import.
func (p *Program) stub(x *dynamicImport) symtab.ID {
	if x.stub == 0 {
		x.stub = p.t.MakeLocal(x.imp.name, symtab.MadeSym{
			Kind: dialect.Text, Align: 16, Size: 6, Data: []byte{0xff, 0x25, 0, 0, 0, 0}, // jmp *slot(%rip)
			Relocs: relocs(symtab.RelocTo(2, 4, dialect.RelocPCRel, 0, x.slot)),
		})
	}
	return x.stub
}

// blob builds a table with relocations.
type blob struct {
	data   []byte
	relocs []goobj.Reloc
}

func (b *blob) u16(v uint16) { b.data = le.AppendUint16(b.data, v) }
func (b *blob) u32(v uint32) { b.data = le.AppendUint32(b.data, v) }
func (b *blob) u64(v uint64) { b.data = le.AppendUint64(b.data, v) }

// addr appends the address of a symbol.
func (b *blob) addr(id symtab.ID) {
	b.relocs = append(b.relocs, symtab.RelocTo(int32(len(b.data)), addrSize, dialect.RelocAddr, 0, id))
	b.u64(0)
}

func (p *Program) makeBlob(name string, kind dialect.Kind, b blob) symtab.ID {
	id := p.t.MakeLocal(name, symtab.MadeSym{Kind: kind, Align: addrSize, Size: uint32(len(b.data)), Data: b.data, Relocs: b.relocs})
	p.host.roots = append(p.host.roots, id)
	return id
}

// strtab collects C strings.
type strtab struct {
	blob
	at map[string]uint32
}

func (s *strtab) add(text string) uint32 {
	if at, ok := s.at[text]; ok {
		return at
	}
	at := uint32(len(s.data))
	s.at[text] = at
	s.data = append(append(s.data, text...), 0)
	return at
}

// makeDynamic makes the tables of the imports that are used.
// (System V ABI, "Dynamic Linking"; versions: LSB Core, "Symbol Versioning")
func (p *Program) makeDynamic() {
	d := p.host.dynamic
	if p.host.Loader == "" {
		symtab.Fail("host objects without a dynamic loader")
	}
	str := &strtab{at: map[string]uint32{}}
	str.add("")
	var syms, hash, rela, versym blob
	syms.data = make([]byte, 24)
	versym.u16(0)
	versions := p.versionNumbers()
	for i, x := range d.imports {
		syms.u32(str.add(x.imp.name))
		syms.data = append(syms.data, stdelf.ST_INFO(stdelf.STB_GLOBAL, stdelf.STT_NOTYPE), 0)
		syms.u16(uint16(stdelf.SHN_UNDEF))
		syms.u64(0)
		syms.u64(0)
		rela.addr(x.slot)
		rela.u64(stdelf.R_INFO(uint32(i+1), uint32(stdelf.R_X86_64_GLOB_DAT)))
		rela.u64(0)
		versym.u16(versions[x.imp])
	}
	// A hash table with one empty bucket: nothing here is to be found.
	n := uint32(len(d.imports) + 1)
	for _, v := range []uint32{1, n, 0} {
		hash.u32(v)
	}
	hash.data = append(hash.data, make([]byte, 4*n)...)
	verneed, libs := p.versionNeeds(versions, str)

	var dyn blob
	entry := func(tag stdelf.DynTag, v uint64) { dyn.u64(uint64(tag)); dyn.u64(v) }
	table := func(tag stdelf.DynTag, id symtab.ID) { dyn.u64(uint64(tag)); dyn.addr(id) }
	for _, lib := range p.host.Libraries {
		entry(stdelf.DT_NEEDED, uint64(str.add(lib)))
	}
	strings := p.makeBlob("go:dynstr", dialect.Rodata, str.blob)
	table(stdelf.DT_HASH, p.makeBlob("go:hash", dialect.Rodata, hash))
	table(stdelf.DT_SYMTAB, p.makeBlob("go:dynsym", dialect.Rodata, syms))
	entry(stdelf.DT_SYMENT, 24)
	table(stdelf.DT_STRTAB, strings)
	entry(stdelf.DT_STRSZ, uint64(len(str.data)))
	table(stdelf.DT_RELA, p.makeBlob("go:rela", dialect.Rodata, rela))
	entry(stdelf.DT_RELASZ, uint64(len(rela.data)))
	entry(stdelf.DT_RELAENT, 24)
	table(stdelf.DT_VERSYM, p.makeBlob("go:versym", dialect.Rodata, versym))
	table(stdelf.DT_VERNEED, p.makeBlob("go:verneed", dialect.Rodata, verneed))
	entry(stdelf.DT_VERNEEDNUM, uint64(libs))
	entry(stdelf.DT_DEBUG, 0)
	entry(stdelf.DT_FLAGS, uint64(stdelf.DF_BIND_NOW))
	entry(stdelf.DT_NULL, 0)
	d.table = p.makeBlob("go:dynamic", dialect.Noptrdata, dyn)
	d.interp = p.makeBlob("go:interp", dialect.Rodata, blob{data: append([]byte(p.host.Loader), 0)})
}

// versionNumbers numbers the versions that imports name; 1 means any.
func (p *Program) versionNumbers() map[importName]uint16 {
	numbers := map[importName]uint16{}
	byVersion := map[[2]string]uint16{}
	for _, x := range p.host.dynamic.imports {
		if x.imp.version == "" || x.imp.library == "" {
			numbers[x.imp] = 1
			continue
		}
		key := [2]string{x.imp.library, x.imp.version}
		if byVersion[key] == 0 {
			byVersion[key] = uint16(2 + len(byVersion))
		}
		numbers[x.imp] = byVersion[key]
	}
	return numbers
}

// versionNeeds is the list of libraries with the versions wanted of each.
func (p *Program) versionNeeds(numbers map[importName]uint16, str *strtab) (b blob, libs int) {
	type need struct {
		library  string
		versions []string
		number   []uint16
	}
	var needs []*need
	for _, x := range p.host.dynamic.imports {
		num := numbers[x.imp]
		if num < 2 {
			continue
		}
		i := slices.IndexFunc(needs, func(n *need) bool { return n.library == x.imp.library })
		if i < 0 {
			i = len(needs)
			needs = append(needs, &need{library: x.imp.library})
		}
		if n := needs[i]; !slices.Contains(n.number, num) {
			n.versions = append(n.versions, x.imp.version)
			n.number = append(n.number, num)
		}
	}
	const needSize, auxSize = 16, 16
	for i, n := range needs {
		next := uint32(needSize + auxSize*len(n.versions))
		if i == len(needs)-1 {
			next = 0
		}
		b.u16(1)
		b.u16(uint16(len(n.versions)))
		b.u32(str.add(n.library))
		b.u32(needSize)
		b.u32(next)
		for j, v := range n.versions {
			next := uint32(auxSize)
			if j == len(n.versions)-1 {
				next = 0
			}
			b.u32(sysvHash(v))
			b.u16(0)
			b.u16(n.number[j])
			b.u32(str.add(v))
			b.u32(next)
		}
	}
	return b, len(needs)
}

// sysvHash is the hash of the System V ABI.
func sysvHash(s string) uint32 {
	h := uint32(0)
	for i := range len(s) {
		h = h<<4 + uint32(s[i])
		g := h & 0xf0000000
		h = (h ^ g>>24) &^ g
	}
	return h
}
