package symtab

import (
	"github.com/hotreflex/hr/internal/link/dialect"
	"github.com/hotreflex/hr/internal/link/goobj"
)

// MadeSym is a symbol whose content the linker provides.
type MadeSym struct {
	Name        string // empty if an object names it
	Kind        dialect.Kind
	Size, Align uint32
	Data        []byte
	Relocs      []goobj.Reloc // made with RelocTo
}

// RelocTo is a relocation of a MadeSym to a symbol by ID.
func RelocTo(off int32, size uint8, typ uint16, add int64, target ID) goobj.Reloc {
	return goobj.MakeReloc(off, size, typ, add, goobj.Ref{Pkg: goobj.PkgInvalid, Sym: uint32(target)})
}

// Make gives the linker's own definition of name, which no object may define.
// Made symbols are never hot: their place is up to the layout.
func (t *Table) Make(name string, abi uint16, m MadeSym) ID {
	id := t.MakeLocal(name, m)
	s := &t.slots[t.slot(name, abi, hashName(name, abi))]
	s.cold, s.win = id, id
	return id
}

// MakeLocal is Make for a symbol that cannot be referred to by name.
func (t *Table) MakeLocal(name string, m MadeSym) ID {
	if t.nextMade == madeMax {
		Fail("more than %d symbols made by the linker", madeMax)
	}
	id := t.nextMade
	t.nextMade++
	m.Name = name
	t.made[id] = &m
	t.Bits[id] = Made
	return id
}

// Override replaces kind and content of a symbol that an object defines; its
// flags, type and functions' tables stay those of the object.
func (t *Table) Override(id ID, m MadeSym) *MadeSym {
	t.made[id] = &m
	t.Bits[id] |= Made
	return &m
}

// MadeOf is the linker's content of id, or nil.
func (t *Table) MadeOf(id ID) *MadeSym { return t.madeSym(id) }

func (t *Table) madeSym(id ID) *MadeSym {
	if t.Bits[id]&Made != 0 {
		return t.made[id]
	}
	return nil
}
