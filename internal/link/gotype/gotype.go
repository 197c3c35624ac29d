// Package gotype reads type descriptors as the compiler writes them, before
// they have addresses: pointers in them are relocations.
//
// Only what a linker asks is decoded: names, methods, the pointer mask. The
// layout is that of internal/abi.Type on 64-bit machines. Reading never changes
// anything; see symtab.Table for concurrency.
package gotype

import (
	"encoding/binary"

	"github.com/hotreflex/hr/internal/link/symtab"
)

// Offsets in internal/abi.Type.
const (
	offPtrBytes = 8
	offTFlag    = 20
	offKind     = 23
	offGCData   = 32
	offStr      = 40
	commonSize  = 48

	kindMask       = 31
	tflagUncommon  = 1
	tflagExtraStar = 2
	tflagOnDemand  = 16
)

// Kinds that have a form of their own (internal/abi.Kind).
const (
	kindArray     = 17
	kindChan      = 18
	kindFunc      = 19
	kindInterface = 20
	kindMap       = 21
	kindPointer   = 22
	kindSlice     = 23
	kindStruct    = 25
)

// Method is a method as interface calls know it.
type Method struct {
	Name string
	Type symtab.ID // descriptor of its function type, without receiver
}

// Exported tells whether reflection can call the method by name.
func (m Method) Exported() bool { return len(m.Name) > 0 && isUpper(m.Name) }

// ItabType is the concrete type of an itab.
func ItabType(t *symtab.Table, itab symtab.ID) symtab.ID { return t.RelocAt(itab, 8) }

// Name is the type's string, as reflect prints it.
func Name(t *symtab.Table, id symtab.ID) string {
	s := nameAt(t, id, offStr)
	if len(s) > 0 && content(t, id, commonSize)[offTFlag]&tflagExtraStar != 0 {
		return s[1:]
	}
	return s
}

// Methods are the methods of a type with an uncommon part, in order.
func Methods(t *symtab.Table, id symtab.ID) []Method {
	p := content(t, id, commonSize)
	if p[offTFlag]&tflagUncommon == 0 {
		return nil
	}
	off := commonSize
	switch p[offKind] & kindMask {
	case kindStruct:
		off += 32
	case kindPointer, kindFunc, kindSlice:
		off += 8
	case kindArray, kindInterface:
		off += 24
	case kindChan:
		off += 16
	case kindMap:
		off += t.D.MapTypeSize
	}
	p = content(t, id, off+16)
	n := int(binary.LittleEndian.Uint16(p[off+4:]))
	at := off + int(binary.LittleEndian.Uint32(p[off+8:]))
	const size = 16 // internal/abi.Method
	if at+n*size > int(t.Size(id)) {
		symtab.Fail("method table of %s lies outside of it", t.Name(id))
	}
	methods := make([]Method, n)
	for i := range methods {
		methods[i] = methodAt(t, id, at+i*size)
	}
	return methods
}

// InterfaceMethod is the method that an interface type has at offset off.
func InterfaceMethod(t *symtab.Table, id symtab.ID, off int64) Method {
	if content(t, id, commonSize)[offKind]&kindMask != kindInterface || off < 0 || off+8 > int64(t.Size(id)) {
		symtab.Fail("%s is not an interface with a method at %d", t.Name(id), off)
	}
	return methodAt(t, id, int(off))
}

func methodAt(t *symtab.Table, id symtab.ID, off int) Method {
	return Method{nameAt(t, id, off), t.RelocAt(id, int32(off+4))}
}

// nameAt decodes the name that the relocation at off points to: a flag byte, a
// varint length, the bytes (internal/abi.Name).
func nameAt(t *symtab.Table, id symtab.ID, off int) string {
	sym := t.RelocAt(id, int32(off))
	if sym == 0 {
		return ""
	}
	b := t.Data(sym)
	if len(b) < 2 {
		return ""
	}
	n, k := binary.Uvarint(b[1:])
	if k <= 0 || n > uint64(len(b)-1-k) {
		symtab.Fail("name %s is malformed", t.Name(sym))
	}
	return string(b[1+k : 1+k+int(n)])
}

// content is the symbol's data with at least n bytes: trailing zeros may be
// missing from the object.
func content(t *symtab.Table, id symtab.ID, n int) []byte {
	b := t.Data(id)
	if len(b) >= n {
		return b
	}
	if int(t.Size(id)) < n {
		symtab.Fail("type descriptor %s is too short", t.Name(id))
	}
	full := make([]byte, t.Size(id))
	copy(full, b)
	return full
}
