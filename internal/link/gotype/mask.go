package gotype

import (
	"encoding/binary"
	"unicode"
	"unicode/utf8"

	"github.com/hotreflex/hr/internal/link/symtab"
)

// Pointers calls mark with the offset of every pointer in a variable of type
// id that lies at off. Large types have no mask of their own, so arrays and
// structs are taken apart.
func Pointers(t *symtab.Table, id symtab.ID, off uint32, mark func(uint32)) {
	p := content(t, id, commonSize)
	ptrBytes := binary.LittleEndian.Uint64(p[offPtrBytes:])
	if ptrBytes == 0 {
		return
	}
	switch p[offKind] & kindMask {
	case kindArray:
		elem := t.RelocAt(id, commonSize)
		n := binary.LittleEndian.Uint64(content(t, id, commonSize+24)[commonSize+16:])
		size := binary.LittleEndian.Uint64(content(t, elem, commonSize))
		if n*size > uint64(1)<<32 {
			symtab.Fail("variable of type %s is too large", t.Name(id))
		}
		for i := range uint32(n) {
			Pointers(t, elem, off+i*uint32(size), mark)
		}
	case kindStruct:
		p = content(t, id, commonSize+32)
		n := int(binary.LittleEndian.Uint64(p[commonSize+16:]))
		fields := commonSize + 32
		if p[offTFlag]&tflagUncommon != 0 {
			fields += 16
		}
		const size = 24 // internal/abi.StructField
		p = content(t, id, fields+n*size)
		for i := range n {
			at := fields + i*size
			if typ := t.RelocAt(id, int32(at+8)); typ != 0 {
				Pointers(t, typ, off+uint32(binary.LittleEndian.Uint64(p[at+16:])), mark)
			}
		}
	default:
		mask := t.RelocAt(id, offGCData)
		if mask == 0 || p[offTFlag]&tflagOnDemand != 0 {
			symtab.Fail("type %s has no pointer mask", t.Name(id))
		}
		bits := t.Data(mask)
		for i := range uint32(ptrBytes / 8) {
			if i/8 < uint32(len(bits)) && bits[i/8]>>(i%8)&1 != 0 {
				mark(off + 8*i)
			}
		}
	}
}

// Field is a field of a struct type.
type Field struct {
	Name   string
	Offset uint32
}

// Fields are the fields of a struct type.
func Fields(t *symtab.Table, id symtab.ID) []Field {
	p := content(t, id, commonSize+32)
	if p[offKind]&kindMask != kindStruct {
		symtab.Fail("%s is not a struct", t.Name(id))
	}
	n := int(binary.LittleEndian.Uint64(p[commonSize+16:]))
	at := commonSize + 32
	if p[offTFlag]&tflagUncommon != 0 {
		at += 16
	}
	p = content(t, id, at+n*24)
	fields := make([]Field, n)
	for i := range fields {
		fields[i] = Field{nameAt(t, id, at), uint32(binary.LittleEndian.Uint64(p[at+16:]))}
		at += 24
	}
	return fields
}

func isUpper(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsUpper(r)
}
