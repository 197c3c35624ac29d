package goobj

import "fmt"

// Limits are what an object may refer to outside of itself.
type Limits struct {
	Builtins int              // number of builtin names
	Ignored  func(uint8) bool // kinds whose content nobody follows (DWARF)
	Known    func(uint8) bool // kinds that are understood
}

// Check looks at every record of the object. After it, all strings, content,
// relocations and references by local index lie inside the object; only indices
// into other packages are left for the resolver to check.
func (o *Object) Check(l Limits) error {
	for i := range o.count(blkAutolib) {
		if !o.stringOK(o.b[o.off[blkAutolib]+i*autolibSize:]) {
			return fmt.Errorf("import %d has a bad name", i)
		}
	}
	for i := 1; i < o.NPackages(); i++ {
		if !o.stringOK(o.b[o.off[blkPkgIdx]+i*stringSize:]) {
			return fmt.Errorf("package %d has a bad name", i)
		}
	}
	for i := range o.NFiles() {
		if !o.stringOK(o.b[o.off[blkFile]+i*stringSize:]) {
			return fmt.Errorf("file %d has a bad name", i)
		}
	}
	for i := range o.NRefFlags() {
		if ref, _, _ := o.RefFlags(i); !o.refOK(ref, l.Builtins) {
			return fmt.Errorf("flags of symbol %v that does not exist", ref)
		}
	}
	for i := range o.NRefNames() {
		at := o.off[blkRefName] + i*refNameSize
		if !o.stringOK(o.b[at+8:]) {
			return fmt.Errorf("name of reference %d is bad", i)
		}
	}
	for i := range o.NSyms() {
		if err := o.checkSym(i, l); err != nil {
			return err
		}
	}
	return nil
}

func (o *Object) checkSym(i int, l Limits) error {
	s := o.Sym(i)
	if !o.stringOK(s[:]) {
		return fmt.Errorf("symbol %d has a bad name", i)
	}
	if i >= o.NDefs() {
		return nil
	}
	if !o.indexOK(blkDataIdx, i, o.off[blkRefName]-o.off[blkData]) ||
		!o.indexOK(blkRelocIdx, i, o.count(blkReloc)) ||
		!o.indexOK(blkAuxIdx, i, o.count(blkAux)) {
		return fmt.Errorf("symbol %s has a bad index", o.Name(i))
	}
	if l.Ignored(s.Kind()) {
		return nil
	}
	// Pc tables and the like have no kind; a kind that is placed must be known.
	if !l.Known(s.Kind()) {
		return fmt.Errorf("symbol %s has unknown kind %d", o.Name(i), s.Kind())
	}
	if a := s.Align(); a&(a-1) != 0 || a > 1<<16 {
		return fmt.Errorf("symbol %s has alignment %d", o.Name(i), a)
	}
	size := int64(s.Size())
	if int64(len(o.Data(i))) > size {
		return fmt.Errorf("symbol %s has more content than its size", o.Name(i))
	}
	relocs := o.Relocs(i)
	for j := range relocs {
		r := &relocs[j]
		if off := int64(r.Off()); off < 0 || r.Size() > 8 || r.Size() != 0 && off+int64(r.Size()) > size {
			return fmt.Errorf("symbol %s has a relocation at %d outside of it", o.Name(i), off)
		}
		if !o.refOK(r.Ref(), l.Builtins) {
			return fmt.Errorf("symbol %s refers to symbol %v that does not exist", o.Name(i), r.Ref())
		}
	}
	auxs := o.Auxs(i)
	for j := range auxs {
		a := &auxs[j]
		if a.Kind() > auxSehUnwind || !o.refOK(a.Ref(), l.Builtins) || a.isTable() && !o.defines(a.Ref()) {
			return fmt.Errorf("symbol %s has a bad auxiliary symbol", o.Name(i))
		}
	}
	return nil
}

// defines tells whether a reference that is in order is to nothing or to a
// definition of the object.
func (o *Object) defines(r Ref) bool {
	switch r.Pkg {
	case PkgInvalid, PkgSelf, PkgHashed, PkgHashed64:
		return true
	case PkgNonpkg:
		return int64(r.Sym) < int64(o.NNonpkgDef)
	}
	return false
}

func (o *Object) indexOK(blk, i, limit int) bool {
	at := o.off[blk] + 4*i
	from, to := le.Uint32(o.b[at:]), le.Uint32(o.b[at+4:])
	return from <= to && int64(to) <= int64(limit)
}

func (o *Object) stringOK(b []byte) bool {
	n, off := uint64(le.Uint32(b)), uint64(le.Uint32(b[4:]))
	return n == 0 || off+n <= uint64(len(o.b))
}

func (o *Object) refOK(r Ref, builtins int) bool {
	switch n := int64(r.Sym); r.Pkg {
	case PkgInvalid:
		return n == 0
	case PkgNonpkg:
		return n < int64(o.NNonpkgDef+o.NNonpkgRef)
	case PkgHashed64:
		return n < int64(o.NHash64)
	case PkgHashed:
		return n < int64(o.NHash)
	case PkgBuiltin:
		return n < int64(builtins)
	case PkgSelf:
		return n < int64(o.NDef)
	default:
		return int64(r.Pkg) < int64(o.NPackages()) && r.Sym < 1<<30
	}
}
