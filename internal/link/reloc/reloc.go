// Package reloc computes the bytes of placed symbols.
//
// Fill writes the content of one symbol with its relocations resolved and
// reports the places that another link may have to change although the symbol
// stays: those that point to hot symbols of other packages, and weak ones whose
// target is dead. It does not decide where anything goes.
//
// Fill may be called concurrently for different symbols once reachability and
// addresses are settled.
package reloc

import (
	"encoding/binary"

	"github.com/hotreflex/hr/internal/link/dialect"
	"github.com/hotreflex/hr/internal/link/goobj"
	"github.com/hotreflex/hr/internal/link/symtab"
)

// Bases are the addresses that relocations are relative to.
type Bases struct {
	TextStart, TextEnd     uint32
	RodataStart, RodataEnd uint32
	Unreachable            symtab.ID // runtime.unreachableMethod
	MapInitNoop            symtab.ID // runtime.mapinitnoop
}

// Site is a relocation whose target may move, come to life or die.
type Site struct {
	Sym    symtab.ID
	Reloc  int32
	Target uint32 // address of the target when the site was written; 0: dead
}

// Sites are the changeable relocations of a chunk.
type Sites struct {
	Hot  []Site // target hot or movable, dead or alive
	Dead []Site // target a dead cold symbol
}

// Fill writes symbol id, which lies at its address, to dst, which is as long as
// the symbol.
func Fill(t *symtab.Table, id symtab.ID, dst []byte, b *Bases, sites *Sites) {
	n := copy(dst, t.Data(id))
	clear(dst[n:])
	o, relocs := t.Relocs(id)
	for i := range relocs {
		r := &relocs[i]
		if r.Size() == 0 {
			continue
		}
		to := t.ResolveKnown(o, r.Ref())
		Apply(t, id, dst, r, to, b)
		if sites != nil {
			note(t, o, id, int32(i), to, r, sites)
		}
	}
}

// note records the relocation as a site if it is one.
func note(t *symtab.Table, o *symtab.Object, id symtab.ID, i int32, to symtab.ID, r *goobj.Reloc, sites *Sites) {
	if to == 0 {
		return
	}
	bits := t.Bits[to]
	switch {
	case bits&symtab.Moves != 0:
		sites.Hot = append(sites.Hot, Site{id, i, Effective(t, to)})
	case bits&symtab.Hot != 0:
		// Within a package nothing moves without the whole chunk, but for types
		// that lie elsewhere.
		if own := t.Owner(id); own == nil || own.Pkg != t.Owner(to).Pkg || t.InRun(to) {
			sites.Hot = append(sites.Hot, Site{id, i, Effective(t, to)})
		}
	case bits&symtab.Live == 0:
		sites.Dead = append(sites.Dead, Site{id, i, 0})
	}
}

// Effective is the address of a live symbol, 0 for a dead one.
func Effective(t *symtab.Table, id symtab.ID) uint32 {
	if t.Bits[id]&symtab.Live == 0 {
		return 0
	}
	return t.Addr[id]
}

// Apply resolves one relocation of id, whose content is dst, to the target.
func Apply(t *symtab.Table, id symtab.ID, dst []byte, r *goobj.Reloc, to symtab.ID, b *Bases) {
	typ := r.Type()
	at := int64(t.Addr[id]) + int64(r.Off())
	place := dst[r.Off() : int(r.Off())+int(r.Size())]
	live := to != 0 && t.Bits[to]&symtab.Live != 0
	addr := int64(t.Addr[to])
	switch typ &^ goobj.Weak {
	case dialect.RelocCall, dialect.RelocPCRel:
		if !live {
			if typ != dialect.RelocCall|goobj.Weak {
				undefined(t, id, to)
			}
			addr = int64(t.Addr[b.MapInitNoop])
		}
		put32(t, id, place, addr+r.Add()-(at+int64(r.Size())))
	case dialect.RelocAddr:
		if !live {
			if typ&goobj.Weak == 0 {
				if r.Ref() == (goobj.Ref{}) {
					put(t, id, place, r.Add())
					return
				}
				undefined(t, id, to)
			}
			addr = int64(t.Addr[b.Unreachable])
			put(t, id, place, addr)
			return
		}
		put(t, id, place, addr+r.Add())
	case dialect.RelocAddrOff, dialect.RelocMethodOff:
		if !live {
			switch typ {
			case dialect.RelocMethodOff:
				put32(t, id, place, -1)
			case dialect.RelocAddrOff | goobj.Weak:
				// The compiler's bytes say "no such thing".
				clear(place)
				if data := t.Data(id); int(r.Off()) < len(data) {
					copy(place, data[r.Off():])
				}
			default:
				undefined(t, id, to)
			}
			return
		}
		put32(t, id, place, b.offset(t, to)+r.Add())
	case dialect.RelocTLSLE:
		// The runtime keeps g in the word before the thread pointer.
		put32(t, id, place, -8+r.Add())
	case dialect.RelocSize:
		put(t, id, place, int64(t.Size(to))+r.Add())
	case dialect.RelocConst:
		put(t, id, place, r.Add())
	default:
		symtab.Fail("%s has a relocation of type %d and size %d", t.Name(id), typ, r.Size())
	}
}

// offset is the distance of a symbol from the start of its section: the form in
// which types and methods are named.
func (b *Bases) offset(t *symtab.Table, to symtab.ID) int64 {
	switch addr := t.Addr[to]; {
	case addr >= b.TextStart && addr < b.TextEnd:
		return int64(addr - b.TextStart)
	case addr >= b.RodataStart && addr < b.RodataEnd:
		return int64(addr - b.RodataStart)
	}
	symtab.Fail("offset of %s, which is neither code nor read-only", t.Name(to))
	return 0
}

func undefined(t *symtab.Table, id, to symtab.ID) {
	name := "a symbol"
	if to != 0 {
		name = t.Name(to)
	}
	symtab.Fail("%s refers to %s, which is not in the program", t.Name(id), name)
}

func put(t *symtab.Table, id symtab.ID, place []byte, v int64) {
	switch len(place) {
	case 8:
		binary.LittleEndian.PutUint64(place, uint64(v))
	case 4:
		put32(t, id, place, v)
	default:
		symtab.Fail("%s has a relocation of size %d", t.Name(id), len(place))
	}
}

func put32(t *symtab.Table, id symtab.ID, place []byte, v int64) {
	if len(place) != 4 || v != int64(int32(v)) {
		symtab.Fail("%s has a relocation that does not fit", t.Name(id))
	}
	binary.LittleEndian.PutUint32(place, uint32(v))
}
