package program

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/hotreflex/hr/internal/link/check"
	"github.com/hotreflex/hr/internal/link/goobj"
	"github.com/hotreflex/hr/internal/link/layout"
	"github.com/hotreflex/hr/internal/link/reloc"
	"github.com/hotreflex/hr/internal/link/symtab"
)

// Verify computes every placed symbol anew and compares it with the image, and
// looks up the first and the last byte of every function as the runtime would.
func (p *Program) Verify() (err error) {
	defer catch(&err)
	for _, part := range p.parts {
		if err := p.verifyPart(part); err != nil {
			return err
		}
	}
	if err := p.verifyIdentity(); err != nil {
		return err
	}
	return p.verifyLookups()
}

// verifyIdentity checks that types and itabs, whose addresses are compared when
// the program runs, are there once.
func (p *Program) verifyIdentity() error {
	seen := map[string]string{}
	for _, part := range p.parts {
		for _, id := range part.Syms[layout.Rodata] {
			if !p.t.IsGoType(id) && p.t.Flag2(id)&goobj.Itab == 0 {
				continue
			}
			name := p.t.Name(id)
			if other, ok := seen[name]; ok {
				return fmt.Errorf("%s is in %s and in %s", name, other, part.Name)
			}
			seen[name] = part.Name
		}
	}
	return nil
}

func (p *Program) verifyPart(part *part) error {
	var scratch []byte
	for s := range layout.NSections {
		last := part.Range[s].Start
		for _, id := range part.Syms[s] {
			addr, size := p.t.Addr[id], p.t.Size(id)
			switch {
			case p.t.Bits[id]&symtab.Live == 0:
				return fmt.Errorf("%s is placed in %s but dead", p.t.Name(id), part.Name)
			case addr < last || addr+size > part.Range[s].End():
				return fmt.Errorf("%s at %#x overlaps its neighbour in %s", p.t.Name(id), addr, part.Name)
			}
			last = addr + size
			if s > layout.Data {
				continue // nothing in the file
			}
			scratch = append(scratch[:0], make([]byte, size)...)
			reloc.Fill(p.t, id, scratch, &p.bases, nil)
			if !bytes.Equal(scratch, p.Image.At(addr, size)) {
				return fmt.Errorf("%s of %s differs from its image", p.t.Name(id), part.Name)
			}
		}
	}
	return nil
}

func (p *Program) verifyLookups() error {
	l := p.layout
	text := l.Section[layout.Text]
	m := &check.Module{
		Base: p.Image.Base, Mem: p.Image.B, Text: text.Start, TextEnd: text.End(),
		Ftab: l.Ftab.Start, NFtab: l.Funcs + 1, FindFunc: l.FindFunc.Start,
		Pclntable: l.Ftab.Start, Names: p.bases.RodataStart,
	}
	if err := m.Tables(); err != nil {
		return err
	}
	for _, part := range p.parts {
		for _, id := range part.Syms[layout.Text] {
			first := p.t.Addr[id]
			last := first + max(p.t.Size(id), 1) - 1
			for _, pc := range []uint32{first, last} {
				f, err := m.Find(pc)
				if err != nil {
					return err
				}
				if f.Name() != p.t.Name(id) || f.Entry != first {
					return fmt.Errorf("%#x is in %s, not %s", pc, p.t.Name(id), f.Name())
				}
				if p.t.Size(id) == 0 {
					continue
				}
				if _, _, err := f.Pos(pc); err != nil {
					return err
				}
				if _, err := f.StackDelta(pc); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// VerifyFresh links the same input from nothing and finds everything of it in
// the program: symbols, and behind each relocation the same target.
func (p *Program) VerifyFresh() (err error) {
	defer catch(&err)
	fresh, err := New(p.in, nil) // reads anew, too
	if err != nil {
		if p.in.gone() {
			return nil // an archive left the cache since: nothing to compare with
		}
		return fmt.Errorf("link from nothing: %w", err)
	}
	defer fresh.Close()
	c := comparison{old: p.t, fresh: fresh.t}
	wanted := map[string]bool{}
	for _, pkg := range p.in.Packages {
		wanted[pkg.Path] = true
	}
	p.t.EachPackage(func(s *symtab.Package) { c.extra = c.extra || !wanted[s.Path] })
	var failure error
	fresh.t.EachPackage(func(s *symtab.Package) {
		if failure == nil {
			failure = c.pkg(s)
		}
	})
	if failure != nil {
		return failure
	}
	for _, list := range []struct{ old, fresh symtab.ID }{
		{p.made.mainList, fresh.made.mainList}, {p.made.runtimeList, fresh.made.runtimeList},
	} {
		if err := c.relocs(list.old, list.fresh); err != nil {
			return err
		}
	}
	return nil
}

// comparison looks for the symbols of a fresh table in an old one.
type comparison struct {
	old, fresh *symtab.Table
	// extra: the old table has cold packages that are not imported any more.
	// One of them may define a duplicate that needs less than the fresh one.
	extra bool
}

func (c *comparison) pkg(s *symtab.Package) error {
	have := c.old.Package(s.Path)
	if have == nil || len(have.Objects) != len(s.Objects) {
		return fmt.Errorf("package %s is missing", s.Path)
	}
	for i, o := range s.Objects {
		for local := range o.NDefs() {
			id := o.Base + symtab.ID(local)
			if c.fresh.Bits[id]&symtab.Live == 0 {
				continue
			}
			twin := have.Objects[i].Base + symtab.ID(local)
			if c.old.Bits[twin]&symtab.Live == 0 {
				// Another definition may have the name or the content here.
				var named bool
				if twin, named = c.old.Standing(have.Objects[i], local); !named {
					continue // whoever refers to the content is compared
				}
				if c.extra && c.fresh.Flag(id)&goobj.Dupok != 0 {
					continue
				}
				if twin == 0 || c.old.Bits[twin]&symtab.Live == 0 {
					return fmt.Errorf("%s of %s is missing", c.fresh.Name(id), s.Path)
				}
				continue
			}
			if err := c.relocs(twin, id); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *comparison) relocs(old, fresh symtab.ID) error {
	oldObj, oldRelocs := c.old.Relocs(old)
	freshObj, freshRelocs := c.fresh.Relocs(fresh)
	if len(oldRelocs) != len(freshRelocs) || c.old.Size(old) != c.fresh.Size(fresh) {
		return fmt.Errorf("%s has another form", c.fresh.Name(fresh))
	}
	for i := range freshRelocs {
		if freshRelocs[i].Size() == 0 {
			continue
		}
		a := c.old.ResolveKnown(oldObj, oldRelocs[i].Ref())
		b := c.fresh.ResolveKnown(freshObj, freshRelocs[i].Ref())
		if c.fresh.Bits[b]&symtab.Live == 0 {
			continue // dead there; alive here is a leftover
		}
		if c.old.Bits[a]&symtab.Live == 0 {
			return fmt.Errorf("%s: target %s is dead", c.fresh.Name(fresh), c.fresh.Name(b))
		}
		// A short content may be served by a longer one of equal bytes.
		need := c.fresh.Size(c.fresh.Own(freshObj, freshRelocs[i].Ref()))
		if !c.same(a, b, need) {
			return fmt.Errorf("%s: target is %s, not %s", c.fresh.Name(fresh), c.old.Name(a), c.fresh.Name(b))
		}
	}
	return nil
}

// same tells whether two symbols are the same by name, or by content, which
// may have several names; it must have at least size bytes.
func (c *comparison) same(old, fresh symtab.ID, size uint32) bool {
	if c.old.Kind(old) != c.fresh.Kind(fresh) {
		return false
	}
	if c.old.Name(old) == c.fresh.Name(fresh) {
		return true
	}
	return c.old.IsContent(old) && c.fresh.IsContent(fresh) && c.old.Size(old) >= size &&
		bytes.Equal(bytes.TrimRight(c.old.Data(old), "\x00"), bytes.TrimRight(c.fresh.Data(fresh), "\x00"))
}

// Functions are the names of all functions, in order of address within chunks.
func (p *Program) Functions() (names []string) {
	for _, part := range p.parts {
		for _, id := range part.Syms[layout.Text] {
			names = append(names, p.t.Name(id))
		}
	}
	return names
}

// gone tells that an archive of the input is not where it was. The program has
// it mapped and does not need the file.
func (in *Input) gone() bool {
	for _, pkg := range in.Packages {
		if _, err := os.Stat(pkg.File); errors.Is(err, fs.ErrNotExist) {
			return true
		}
	}
	return false
}
