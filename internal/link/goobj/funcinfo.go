package goobj

import "fmt"

// FuncInfo is the content of a function's AuxFuncInfo symbol.
// (GOROOT/src/cmd/internal/goobj/funcinfo.go)
type FuncInfo struct {
	b                []byte
	nfile, ninl, inl int
}

const (
	funcInfoFixed = 20 // up to and including the number of files
	inlNodeSize   = 24
)

// ParseFuncInfo checks the frame of b.
func ParseFuncInfo(b []byte) (FuncInfo, error) {
	f := FuncInfo{b: b}
	if len(b) < funcInfoFixed+4 {
		return f, fmt.Errorf("function info cut off")
	}
	f.nfile = int(le.Uint32(b[16:]))
	at := funcInfoFixed + 4*f.nfile
	if f.nfile > len(b) || at+4 > len(b) {
		return f, fmt.Errorf("function info cut off in its files")
	}
	f.ninl, f.inl = int(le.Uint32(b[at:])), at+4
	if f.ninl > len(b) || f.inl+f.ninl*inlNodeSize > len(b) {
		return f, fmt.Errorf("function info cut off in its inline tree")
	}
	return f, nil
}

func (f *FuncInfo) Args() uint32     { return le.Uint32(f.b) }
func (f *FuncInfo) FuncID() uint8    { return f.b[8] }
func (f *FuncInfo) Flag() uint8      { return f.b[9] }
func (f *FuncInfo) StartLine() int32 { return int32(le.Uint32(f.b[12:])) }
func (f *FuncInfo) NFiles() int      { return f.nfile }
func (f *FuncInfo) File(i int) uint32 {
	return le.Uint32(f.b[funcInfoFixed+4*i:])
}
func (f *FuncInfo) NInline() int { return f.ninl }

// InlineNode is one inlined call.
type InlineNode struct {
	File     uint32
	Func     Ref
	ParentPC int32
}

func (f *FuncInfo) Inline(i int) InlineNode {
	b := f.b[f.inl+i*inlNodeSize:]
	return InlineNode{File: le.Uint32(b[4:]), Func: refAt(b[12:]), ParentPC: int32(le.Uint32(b[20:]))}
}
