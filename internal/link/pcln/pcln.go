// Package pcln builds the tables that map program counters to functions, files
// and lines.
//
// The runtime sees one set of tables per module, addressed by offsets from
// several bases. Here all bases are the start of the read-only data, so the
// tables of a chunk are one block that lies anywhere in it and can be replaced
// alone: names, files, pc tables, inline trees and function records, in this
// order. Only the function table and the lookup buckets are arrays over the
// whole program, of which a chunk has a range.
//
// Collect finds what a chunk needs and how large it is; Block.Write makes the
// bytes when all addresses are known. Neither decides what is live. A Block
// belongs to one goroutine.
//
// Formats: GOROOT/src/runtime/symtab.go and runtime2.go (_func), written by
// GOROOT/src/cmd/link/internal/ld/pcln.go. How they are meant to be read:
// go.dev/s/go12symtab.
package pcln

import (
	"encoding/binary"

	"github.com/hotreflex/hr/internal/link/dialect"
	"github.com/hotreflex/hr/internal/link/goobj"
	"github.com/hotreflex/hr/internal/link/symtab"
)

var le = binary.LittleEndian

// Block is the line tables of a chunk.
type Block struct {
	funcs   []function
	names   []byte // C strings
	files   []byte // C strings
	units   []unit
	cutab   uint32 // entries
	pctab   []byte
	inlines uint32 // nodes of all inline trees
	records uint32 // bytes of function records
	nfiles  uint32

	nameAt map[string]uint32
	fileAt map[string]uint32
	pcAt   map[symtab.Content]uint32
	unitAt map[*symtab.Object]int
}

// function is what Collect has found of a function.
type function struct {
	id        symtab.ID
	unit      int // index in units, -1: none
	name      uint32
	pcs       [4]uint32 // pcsp, pcfile, pcline, pcinline: 1 + offset in pctab, or 0
	pcdata    []uint32  // the same
	funcdata  []symtab.ID
	info      goobj.FuncInfo
	hasInfo   bool
	inline    []inlineNode
	npcdata   uint32 // with the slot of the inline tree
	nfuncdata uint32
}

type inlineNode struct {
	name, parentPC, startLine uint32
	funcID                    uint8
}

// unit is the file table of one object: a run of the cutab.
type unit struct {
	o     *symtab.Object
	first uint32 // first entry in the chunk's cutab
	used  []uint32
}

const (
	recordSize = 44 // runtime._func without its tables
	inlineSize = 16 // runtime.inlinedCall

	pcdataInline   = 2 // internal/abi.PCDATA_InlTreeIndex
	funcdataInline = 3 // internal/abi.FUNCDATA_InlTree
	funcdataArgs   = 0 // internal/abi.FUNCDATA_ArgsPointerMaps
	funcdataArgInf = 5 // internal/abi.FUNCDATA_ArgInfo
	none           = ^uint32(0)
)

// Collect gathers the tables of functions, which are in order of address.
// goroot replaces "$GOROOT" in file names unless it is empty.
func Collect(t *symtab.Table, funcs []symtab.ID, goroot string) *Block {
	b := &Block{
		funcs:  make([]function, 0, len(funcs)),
		nameAt: make(map[string]uint32, len(funcs)),
		fileAt: map[string]uint32{},
		pcAt:   make(map[symtab.Content]uint32, 2*len(funcs)),
		unitAt: map[*symtab.Object]int{},
	}
	for _, id := range funcs {
		b.function(t, id, goroot)
	}
	for i := range b.units {
		b.units[i].first = b.cutab
		b.cutab += uint32(len(b.units[i].used))
	}
	b.nameAt, b.fileAt, b.unitAt = nil, nil, nil
	b.pcAt = nil
	return b
}

// NFuncs is the number of functions of the block.
func (b *Block) NFuncs() uint32 { return uint32(len(b.funcs)) }

// NFiles is the number of source files of the chunk.
func (b *Block) NFiles() uint32 { return b.nfiles }

func (b *Block) function(t *symtab.Table, id symtab.ID, goroot string) {
	f := function{id: id, unit: -1, name: b.name(t.Name(id))}
	o := t.Owner(id)
	if o == nil || t.MadeOf(id) != nil {
		b.add(f)
		return
	}
	f.unit = b.unit(o)
	auxs := o.Auxs(o.Local(id))
	for i := range auxs {
		b.aux(t, o, &f, &auxs[i])
	}
	if !f.hasInfo {
		// Without function info the runtime is told nothing but the name.
		f.pcs, f.pcdata, f.funcdata = [4]uint32{}, nil, nil
		b.add(f)
		return
	}
	f.npcdata, f.nfuncdata = uint32(len(f.pcdata)), uint32(len(f.funcdata))
	b.inlineTree(t, o, &f, goroot)
	if o.FromAssembly() {
		// The assembler names argument maps that the compiler may not have made.
		for _, i := range []int{funcdataArgs, funcdataArgInf} {
			if i < len(f.funcdata) && f.funcdata[i] != 0 && len(t.Data(f.funcdata[i])) == 0 {
				f.funcdata[i] = 0
			}
		}
	}
	b.add(f)
}

func (b *Block) add(f function) {
	b.records += align8(recordSize + 4*f.npcdata + 4*f.nfuncdata)
	b.funcs = append(b.funcs, f)
}

func (b *Block) aux(t *symtab.Table, o *symtab.Object, f *function, a *goobj.Aux) {
	switch a.Kind() {
	case goobj.AuxFuncInfo:
		info, err := goobj.ParseFuncInfo(t.Data(t.Own(o, a.Ref())))
		if err != nil {
			symtab.Fail("%s: %v", t.Name(f.id), err)
		}
		f.info, f.hasInfo = info, true
	case goobj.AuxPcsp, goobj.AuxPcfile, goobj.AuxPcline, goobj.AuxPcinline:
		f.pcs[a.Kind()-goobj.AuxPcsp] = b.pcTable(t, o, a.Ref())
	case goobj.AuxPcdata:
		f.pcdata = append(f.pcdata, b.pcTable(t, o, a.Ref()))
	case goobj.AuxFuncdata:
		f.funcdata = append(f.funcdata, t.ResolveKnown(o, a.Ref()))
	}
}

func (b *Block) inlineTree(t *symtab.Table, o *symtab.Object, f *function, goroot string) {
	u := &b.units[f.unit]
	for i := range f.info.NFiles() {
		b.file(u, f.info.File(i), goroot)
	}
	n := f.info.NInline()
	if n == 0 {
		return
	}
	f.npcdata = max(f.npcdata, pcdataInline+1)
	f.nfuncdata = max(f.nfuncdata, funcdataInline+1)
	f.inline = make([]inlineNode, n)
	for i := range n {
		node := f.info.Inline(i)
		b.file(u, node.File, goroot)
		callee := t.Resolve(o, node.Func)
		info, ok := funcInfo(t, callee)
		if !ok {
			symtab.Fail("%s inlines %s, which has no function info", t.Name(f.id), t.NameOf(o, node.Func))
		}
		f.inline[i] = inlineNode{
			name:      b.name(t.Name(callee)),
			parentPC:  uint32(node.ParentPC),
			startLine: line(info.StartLine()),
			funcID:    info.FuncID(),
		}
	}
	b.inlines += uint32(n)
}

// funcInfo is the function info of a function, which need not be live.
func funcInfo(t *symtab.Table, id symtab.ID) (info goobj.FuncInfo, ok bool) {
	o := t.Owner(id)
	if id == 0 || o == nil {
		return info, false
	}
	auxs := o.Auxs(o.Local(id))
	for i := range auxs {
		if auxs[i].Kind() == goobj.AuxFuncInfo {
			info, err := goobj.ParseFuncInfo(t.Data(t.Own(o, auxs[i].Ref())))
			return info, err == nil
		}
	}
	return info, false
}

func (b *Block) name(s string) uint32 {
	at, ok := b.nameAt[s]
	if !ok {
		at = uint32(len(b.names))
		b.nameAt[s] = at
		b.names = append(append(b.names, s...), 0)
	}
	return at
}

func (b *Block) unit(o *symtab.Object) int {
	i, ok := b.unitAt[o]
	if !ok {
		i = len(b.units)
		b.unitAt[o] = i
		b.units = append(b.units, unit{o: o})
	}
	return i
}

// file makes sure that file i of the unit has a name in the block.
func (b *Block) file(u *unit, i uint32, goroot string) {
	if i >= uint32(u.o.NFiles()) {
		symtab.Fail("object of %s has no file %d", u.o.Pkg.Path, i)
	}
	for uint32(len(u.used)) <= i {
		u.used = append(u.used, none)
	}
	if u.used[i] != none {
		return
	}
	name := u.o.File(int(i))
	at, ok := b.fileAt[name]
	if !ok {
		at = uint32(len(b.files))
		b.fileAt[name] = at
		b.files = append(append(b.files, expand(name, goroot)...), 0)
		b.nfiles++
	}
	u.used[i] = at
}

func (b *Block) pcTable(t *symtab.Table, o *symtab.Object, ref goobj.Ref) uint32 {
	if ref == (goobj.Ref{}) {
		return 0
	}
	key := t.ContentOf(o, ref)
	at, ok := b.pcAt[key]
	if !ok {
		if data := t.Data(t.Own(o, ref)); len(data) > 0 {
			at = 1 + uint32(len(b.pctab))
			b.pctab = append(b.pctab, data...)
		}
		b.pcAt[key] = at
	}
	return at
}

// deferReturn is the offset of the first call of runtime.deferreturn: where a
// recovered function goes on. The relocation is behind the opcode byte.
func deferReturn(t *symtab.Table, id, deferreturn symtab.ID) uint32 {
	o, relocs := t.Relocs(id)
	for i := range relocs {
		r := &relocs[i]
		if r.Type() == dialect.RelocCall && t.ResolveKnown(o, r.Ref()) == deferreturn {
			return uint32(r.Off()) - 1
		}
	}
	return 0
}

func align8(n uint32) uint32 { return (n + 7) &^ 7 }

// Forget gives up all but the number of files: the block will not be written
// again.
func (b *Block) Forget() { *b = Block{nfiles: b.nfiles} }

// HeapBytes estimates the memory of the block.
func (b *Block) HeapBytes() int64 {
	n := cap(b.names) + cap(b.files) + cap(b.pctab) + int(b.inlines)*16 + cap(b.funcs)*200
	for i := range b.funcs {
		n += 4*cap(b.funcs[i].pcdata) + 4*cap(b.funcs[i].funcdata)
	}
	return int64(n)
}
