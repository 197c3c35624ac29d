package goobj

import (
	"encoding/binary"
	"fmt"
	"unsafe"
)

const magic = "\x00go120ld"

// The blocks of an object, in file order.
const (
	blkAutolib = iota
	blkPkgIdx
	blkFile
	blkSymdef
	blkHashed64def
	blkHasheddef
	blkNonpkgdef
	blkNonpkgref
	blkRefFlags
	blkHash64
	blkHash
	blkRelocIdx
	blkAuxIdx
	blkDataIdx
	blkReloc
	blkAux
	blkData
	blkRefName
	blkEnd
	nBlk
)

const (
	headerSize   = len(magic) + 8 + 4 + 4*nBlk
	symSize      = 21
	relocSize    = 23
	auxSize      = 9
	autolibSize  = 16
	refFlagsSize = 10
	refNameSize  = 16
	stringSize   = 8
	hash64Size   = 8
	hashSize     = 16
)

// recordSize is the size of the records of a block; 0 for free-form ones.
var recordSize = [nBlk]int{
	blkAutolib: autolibSize, blkPkgIdx: stringSize, blkFile: stringSize,
	blkSymdef: symSize, blkHashed64def: symSize, blkHasheddef: symSize,
	blkNonpkgdef: symSize, blkNonpkgref: symSize,
	blkRefFlags: refFlagsSize, blkHash64: hash64Size, blkHash: hashSize,
	blkRelocIdx: 4, blkAuxIdx: 4, blkDataIdx: 4,
	blkReloc: relocSize, blkAux: auxSize, blkRefName: refNameSize,
}

// Flags of an object.
const (
	FlagShared     = 1
	FlagAssembly   = 4
	FlagUnlinkable = 8
	FlagStd        = 16
	knownFlags     = FlagShared | FlagAssembly | FlagUnlinkable | FlagStd
)

// Fingerprint identifies the export data of a package: importers record the
// one that they were compiled against.
type Fingerprint [8]byte

// Object is one object file. Its symbols have local indices: definitions of the
// package, short hashed, hashed and non-package definitions, and last the
// non-package references, which have no content.
type Object struct {
	b   []byte
	off [nBlk]int

	Fingerprint Fingerprint
	Flags       uint32
	// Counts of the symbol blocks, in the order of local indices.
	NDef, NHash64, NHash, NNonpkgDef, NNonpkgRef int
}

// Parse opens an object and checks that its blocks lie inside b.
func Parse(b []byte) (*Object, error) {
	if len(b) < headerSize {
		return nil, fmt.Errorf("object cut off in its header")
	}
	if string(b[:len(magic)]) != magic {
		return nil, fmt.Errorf("unknown object magic %q", b[:len(magic)])
	}
	o := &Object{b: b}
	copy(o.Fingerprint[:], b[8:16])
	o.Flags = binary.LittleEndian.Uint32(b[16:])
	if o.Flags&^knownFlags != 0 {
		return nil, fmt.Errorf("unknown object flags %#x", o.Flags)
	}
	last := headerSize
	for i := range o.off {
		off := int(binary.LittleEndian.Uint32(b[20+4*i:]))
		if off < last && i != blkAutolib || off > len(b) {
			return nil, fmt.Errorf("block %d of object is out of place", i)
		}
		o.off[i], last = off, off
	}
	for i, size := range recordSize {
		if size != 0 && (o.off[i+1]-o.off[i])%size != 0 {
			return nil, fmt.Errorf("block %d of object has a broken record", i)
		}
	}
	o.NDef = o.count(blkSymdef)
	o.NHash64 = o.count(blkHashed64def)
	o.NHash = o.count(blkHasheddef)
	o.NNonpkgDef = o.count(blkNonpkgdef)
	o.NNonpkgRef = o.count(blkNonpkgref)
	n := o.NDefs()
	if o.count(blkHash64) != o.NHash64 || o.count(blkHash) != o.NHash ||
		o.count(blkRelocIdx) != n+1 || o.count(blkAuxIdx) != n+1 || o.count(blkDataIdx) != n+1 {
		return nil, fmt.Errorf("index of object does not fit its symbols")
	}
	return o, nil
}

// Bytes is the object as it lies in the archive. Two objects with equal bytes
// differ in nothing that a linker sees.
func (o *Object) Bytes() []byte { return o.b[:o.off[blkEnd]] }

// NDefs is the number of defined symbols.
func (o *Object) NDefs() int { return o.NDef + o.NHash64 + o.NHash + o.NNonpkgDef }

// NSyms is the number of defined and non-package referenced symbols.
func (o *Object) NSyms() int { return o.NDefs() + o.NNonpkgRef }

// FirstNonpkg is the local index of the first non-package symbol.
func (o *Object) FirstNonpkg() int { return o.NDef + o.NHash64 + o.NHash }

// FromAssembly tells whether the assembler made the object.
func (o *Object) FromAssembly() bool { return o.Flags&FlagAssembly != 0 }

// Sym is the record of the symbol with local index i.
func (o *Object) Sym(i int) *Sym {
	at := o.off[blkSymdef] + i*symSize
	return (*Sym)(o.b[at : at+symSize])
}

// Name is the name of the symbol with local index i. It lives in the mapping.
func (o *Object) Name(i int) string {
	s := o.Sym(i)
	return o.stringAt(s[:])
}

// Data is the content of definition i; trailing zeros may be missing.
func (o *Object) Data(i int) []byte {
	at := o.off[blkDataIdx] + 4*i
	from := o.off[blkData] + int(le.Uint32(o.b[at:]))
	to := o.off[blkData] + int(le.Uint32(o.b[at+4:]))
	return o.b[from:to:to]
}

// Relocs are the relocations of definition i.
func (o *Object) Relocs(i int) []Reloc {
	at := o.off[blkRelocIdx] + 4*i
	from, to := int(le.Uint32(o.b[at:])), int(le.Uint32(o.b[at+4:]))
	if from == to {
		return nil
	}
	b := o.b[o.off[blkReloc]+from*relocSize : o.off[blkReloc]+to*relocSize]
	// Reloc is an array of bytes: it has no alignment and any bytes are a value.
	return unsafe.Slice((*Reloc)(unsafe.Pointer(unsafe.SliceData(b))), to-from)
}

// Auxs are the auxiliary symbols of definition i.
func (o *Object) Auxs(i int) []Aux {
	at := o.off[blkAuxIdx] + 4*i
	from, to := int(le.Uint32(o.b[at:])), int(le.Uint32(o.b[at+4:]))
	if from == to {
		return nil
	}
	b := o.b[o.off[blkAux]+from*auxSize : o.off[blkAux]+to*auxSize]
	return unsafe.Slice((*Aux)(unsafe.Pointer(unsafe.SliceData(b))), to-from)
}

// Hash64 is the content hash of the i-th short hashed definition.
func (o *Object) Hash64(i int) uint64 {
	return le.Uint64(o.b[o.off[blkHash64]+i*hash64Size:])
}

// Hash is the content hash of the i-th hashed definition.
func (o *Object) Hash(i int) *[hashSize]byte {
	at := o.off[blkHash] + i*hashSize
	return (*[hashSize]byte)(o.b[at : at+hashSize])
}

// NPackages is one more than the highest package index; index 0 names nothing.
func (o *Object) NPackages() int { return o.count(blkPkgIdx) }

// Package is the (escaped) path of the package with index i.
func (o *Object) Package(i int) string {
	return o.stringAt(o.b[o.off[blkPkgIdx]+i*stringSize:])
}

// NFiles is the number of source files that line tables can name.
func (o *Object) NFiles() int { return o.count(blkFile) }

// File is the name of source file i.
func (o *Object) File(i int) string {
	return o.stringAt(o.b[o.off[blkFile]+i*stringSize:])
}

// Import is an imported package and the fingerprint it had at compile time.
type Import struct {
	Path        string
	Fingerprint Fingerprint
}

// Imports is the autolib block.
func (o *Object) Imports() []Import {
	list := make([]Import, o.count(blkAutolib))
	for i := range list {
		b := o.b[o.off[blkAutolib]+i*autolibSize:]
		list[i].Path = o.stringAt(b)
		copy(list[i].Fingerprint[:], b[stringSize:])
	}
	return list
}

// NRefFlags is the number of flags that the object knows of foreign symbols.
func (o *Object) NRefFlags() int { return o.count(blkRefFlags) }

// RefFlags is the i-th of them.
func (o *Object) RefFlags(i int) (ref Ref, flag, flag2 uint8) {
	b := o.b[o.off[blkRefFlags]+i*refFlagsSize:]
	return refAt(b), b[8], b[9]
}

// NRefNames is the number of names that the object knows of foreign symbols.
func (o *Object) NRefNames() int { return o.count(blkRefName) }

// RefName is the i-th of them.
func (o *Object) RefName(i int) (Ref, string) {
	b := o.b[o.off[blkRefName]+i*refNameSize:]
	return refAt(b), o.stringAt(b[8:])
}

var le = binary.LittleEndian

func (o *Object) count(blk int) int { return (o.off[blk+1] - o.off[blk]) / recordSize[blk] }

// stringAt decodes a string reference, a length and an offset.
func (o *Object) stringAt(b []byte) string {
	n, off := int(le.Uint32(b)), int(le.Uint32(b[4:]))
	if n == 0 {
		return ""
	}
	s := o.b[off : off+n]
	return unsafe.String(unsafe.SliceData(s), n)
}
