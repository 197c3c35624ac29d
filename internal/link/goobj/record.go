package goobj

// ABIStatic marks symbols that are never looked up by name.
const ABIStatic = 0xffff

// Flags of a symbol (Flag).
const (
	Dupok = 1 << iota
	Local
	Typelink
	Leaf
	NoSplit
	ReflectMethod
	GoType
)

// Flags of a symbol (Flag2).
const (
	UsedInIface = 1 << iota
	Itab
	Dict
	PkgInit
	Linkname
	ABIWrapper
	WasmExport
	LinknameStd
)

// Sym is the record of a symbol.
type Sym [symSize]byte

func (s *Sym) ABI() uint16   { return le.Uint16(s[8:]) }
func (s *Sym) Kind() uint8   { return s[10] }
func (s *Sym) Flag() uint8   { return s[11] }
func (s *Sym) Flag2() uint8  { return s[12] }
func (s *Sym) Size() uint32  { return le.Uint32(s[13:]) }
func (s *Sym) Align() uint32 { return le.Uint32(s[17:]) }
func (s *Sym) Static() bool  { return s.ABI() == ABIStatic }

// Package indices with a meaning of their own. Others are 1-based indices of
// the package block and mean a definition of that package's compiler object.
const (
	PkgInvalid  = 0         // with symbol 0: no symbol
	PkgNonpkg   = 1<<31 - 1 // non-package definitions, then references
	PkgHashed64 = PkgNonpkg - 1
	PkgHashed   = PkgNonpkg - 2
	PkgBuiltin  = PkgNonpkg - 3
	PkgSelf     = PkgNonpkg - 4
)

// Ref is a reference to a symbol.
type Ref struct{ Pkg, Sym uint32 }

func refAt(b []byte) Ref { return Ref{le.Uint32(b), le.Uint32(b[4:])} }

// Weak is set in the type of a relocation that does not keep its target alive.
const Weak = 0x8000

// Reloc is a place in a symbol's content that depends on an address, or a mark.
type Reloc [relocSize]byte

func (r *Reloc) Off() int32   { return int32(le.Uint32(r[:])) }
func (r *Reloc) Size() uint8  { return r[4] }
func (r *Reloc) Type() uint16 { return le.Uint16(r[5:]) }
func (r *Reloc) Add() int64   { return int64(le.Uint64(r[7:])) }
func (r *Reloc) Ref() Ref     { return refAt(r[15:]) }

// MakeReloc is for relocations of symbols that the linker makes.
func MakeReloc(off int32, size uint8, typ uint16, add int64, ref Ref) (r Reloc) {
	le.PutUint32(r[:], uint32(off))
	r[4] = size
	le.PutUint16(r[5:], typ)
	le.PutUint64(r[7:], uint64(add))
	le.PutUint32(r[15:], ref.Pkg)
	le.PutUint32(r[19:], ref.Sym)
	return r
}

// Kinds of auxiliary symbols.
const (
	AuxGotype    = 0
	AuxFuncInfo  = 1
	AuxFuncdata  = 2
	AuxPcsp      = 7
	AuxPcfile    = 8
	AuxPcline    = 9
	AuxPcinline  = 10
	AuxPcdata    = 11
	auxSehUnwind = 14
)

// Aux attaches a symbol to another: its type, tables of a function.
type Aux [auxSize]byte

func (a *Aux) Kind() uint8 { return a[0] }
func (a *Aux) Ref() Ref    { return refAt(a[1:]) }

// isTable tells whether the symbol is content that the object must have itself.
func (a *Aux) isTable() bool {
	return a.Kind() == AuxFuncInfo || a.Kind() >= AuxPcsp && a.Kind() <= AuxPcdata
}
