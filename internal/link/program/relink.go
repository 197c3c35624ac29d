package program

import (
	"cmp"
	"maps"
	"slices"

	"github.com/hotreflex/hr/internal/link/layout"
	"github.com/hotreflex/hr/internal/link/reloc"
	"github.com/hotreflex/hr/internal/link/symtab"
)

// Accepts tells whether a Relink can turn the program into in: everything but
// hot packages is as it was, apart from cold packages that are new. Cold ones
// that are gone stay in the table, of no effect unless they have C code: what
// that defines replaces symbols of runtime.
func (p *Program) Accepts(in Input) bool {
	old := &p.in
	if in.GOROOT != old.GOROOT || in.Version != old.Version || in.Root != old.Root ||
		in.ModInfo != old.ModInfo || !maps.Equal(in.Strings, old.Strings) {
		return false
	}
	before := make(map[string]Package, len(old.Packages))
	for _, pkg := range old.Packages {
		before[pkg.Path] = pkg
	}
	for _, pkg := range in.Packages {
		have := p.t.Package(pkg.Path)
		if have == nil {
			continue
		}
		was, ok := before[pkg.Path]
		if ok && (was.Hot != pkg.Hot || was.Main != pkg.Main) || !have.Hot && have.File != pkg.File {
			return false
		}
		delete(before, pkg.Path)
	}
	for path := range before {
		if have := p.t.Package(path); have != nil && have.Archive.Cgo != nil {
			return false
		}
	}
	return true
}

// Relink links in, which the program Accepts. After an error the program is
// unusable.
func (p *Program) Relink(in Input) (mode Mode, err error) {
	defer catch(&err)
	p.Phases.start()
	changed := p.replace(in)
	p.Phases.done("read")
	defer p.release()

	rebound := p.t.Begin(p.hot)
	if s := p.t.Mismatch(changed); s != "" {
		symtab.Fail("%s", s)
	}
	p.setStrings()
	p.Phases.done("resolve")
	if rebound {
		return p.again()
	}
	p.reach()
	p.Phases.done("reach")
	if !p.placeChanges(changed) {
		return p.again()
	}
	p.Phases.done("layout")
	p.fillTables()
	p.own.fresh = true
	stale := p.patch()
	p.fillFresh()
	if stale {
		p.sumFIPS()
	}
	p.Phases.done("fill")
	return Relink, nil
}

// Crowded tells whether most of the room for growth is used up.
func (p *Program) Crowded() bool {
	const share = 0.25 // a relink that finds no room costs a hundred of others
	return p.layout.TailFree() < share
}

// LayOutAgain makes the image anew from what is in memory.
func (p *Program) LayOutAgain() (err error) {
	defer catch(&err)
	p.Phases.start()
	_, err = p.again()
	return err
}

// again makes the program from what is in memory, without the leftovers of
// earlier links.
func (p *Program) again() (Mode, error) {
	p.t.Reset()
	p.resolveAll()
	p.layOut()
	return Layout, nil
}

// replace brings the table's packages up to date and returns those that have
// other objects than before.
func (p *Program) replace(in Input) map[*symtab.Package]bool {
	header := p.main.Archive.Header
	var load []Package
	wanted := make(map[string]bool, len(in.Packages))
	for _, pkg := range in.Packages {
		wanted[pkg.Path] = true
		if have := p.t.Package(pkg.Path); have == nil || have.File != pkg.File {
			load = append(load, pkg)
		}
	}
	loads := p.read(load, header)
	changed := map[*symtab.Package]bool{}
	var add []*symtab.Load
	for i, l := range loads {
		have := p.t.Package(load[i].Path)
		if l == nil {
			have.File = load[i].File // another build id, the same code
			continue
		}
		if have != nil {
			p.drop(have)
		}
		add = append(add, l)
		changed[l.Package()] = true
		if load[i].Main {
			p.main = l.Package()
		}
	}
	p.spreadHot(add)
	for _, have := range slices.Clone(p.hot) {
		if !wanted[have.Path] {
			p.drop(have)
		}
	}
	for _, l := range add {
		if a := l.Package().Archive; len(a.Host) > 0 || a.Cgo != nil {
			symtab.Fail("package %s has C code and comes into a program that is linked", l.Package().Path)
		}
	}
	p.t.Add(add)
	for _, l := range add {
		if s := l.Package(); s.Hot {
			p.hot = append(p.hot, s)
		}
	}
	slices.SortFunc(p.hot, func(a, b *symtab.Package) int {
		if c := compareBool(a == p.main, b == p.main); c != 0 {
			return c
		}
		return cmp.Compare(a.Path, b.Path)
	})
	p.in = in
	return changed
}

// drop takes a hot package out.
func (p *Program) drop(s *symtab.Package) {
	p.t.Remove(s)
	p.retired = append(p.retired, s)
	p.hot = slices.DeleteFunc(p.hot, func(h *symtab.Package) bool { return h == s })
}

// release unmaps packages that nothing refers to any more.
func (p *Program) release() {
	for _, s := range p.retired {
		s.Unmap()
	}
	p.retired = p.retired[:0]
}

// placeChanges gives places to what is new. It reports false if there is no
// room, or if something must be placed that cannot be added to a program.
func (p *Program) placeChanges(changed map[*symtab.Package]bool) bool {
	if !p.placeCold() {
		return false
	}
	kept := make(map[string]bool, len(p.hot))
	for _, pkg := range p.hot {
		kept[pkg.Path] = true
		if !p.placeHot(pkg, changed[pkg]) {
			return false
		}
	}
	for path, part := range p.byPath {
		if !kept[path] {
			p.vacate(part)
		}
	}
	p.typeLists()
	if p.run != nil {
		p.fillRun(p.run)
		p.run.measure(p.t)
		if !p.run.Fits() {
			return false
		}
		p.run.Assign(p.t)
	}
	p.own.measure(p.t)
	if !p.own.Fits() {
		return false
	}
	p.own.Assign(p.t)
	return true
}

// placeCold carves a chunk for cold symbols that were reached for the first
// time.
func (p *Program) placeCold() bool {
	fresh := slices.Clone(p.flood.NewCold)
	slices.Sort(fresh)
	part := &part{Chunk: &layout.Chunk{Name: "cold, later"}, fresh: true}
	n := 0
	for _, id := range fresh {
		if p.made.isMark[id] || p.host.isAlias[id] || p.t.InRun(id) {
			continue
		}
		if p.t.Kind(id).IsFIPS() || p.isOwn(id) {
			// The FIPS module is one piece with fixed bounds, and so are the
			// linker's own symbols.
			return false
		}
		part.Add(p.t, id)
		n++
	}
	if n == 0 {
		return true
	}
	p.collect(part)
	part.measure(p.t)
	if !p.layout.Carve(p.t, part.Chunk) {
		return false
	}
	part.Assign(p.t)
	p.parts = append(p.parts, part)
	return true
}

// placeHot brings the chunk of a hot package up to date. If neither its objects
// nor the set of its live symbols changed, everything stays.
func (p *Program) placeHot(pkg *symtab.Package, changed bool) bool {
	next := &part{Chunk: &layout.Chunk{Name: pkg.Path, Hot: true}, pkg: pkg, fresh: true}
	p.addHot(next)
	old := p.byPath[pkg.Path]
	if old != nil {
		if !changed && old.pkg == pkg && equalSyms(old.Chunk, next.Chunk) {
			return true
		}
		next.Range, next.Funcs = old.Range, old.Funcs
	}
	p.collect(next)
	next.measure(p.t)
	if old == nil || !next.Fits() {
		if old != nil {
			p.vacate(old)
		}
		if !p.layout.Carve(p.t, next.Chunk) {
			return false
		}
		p.parts = append(p.parts, next)
	} else {
		p.parts[slices.Index(p.parts, old)] = next
	}
	next.Assign(p.t)
	p.byPath[pkg.Path] = next
	return true
}

// vacate empties a part: nothing is in its ranges any more.
func (p *Program) vacate(old *part) {
	empty := &part{Chunk: &layout.Chunk{Name: old.Name + ", gone", Range: old.Range, Funcs: old.Funcs}, fresh: true}
	empty.Pcln = old.Range[layout.Rodata].Start
	p.collect(empty)
	p.parts[slices.Index(p.parts, old)] = empty
	delete(p.byPath, old.Name)
}

func equalSyms(a, b *layout.Chunk) bool {
	for s := range layout.NSections {
		if !slices.Equal(a.Syms[s], b.Syms[s]) {
			return false
		}
	}
	return true
}

// patch rewrites relocations of parts that stay whose target has moved, come to
// life or died. It reports whether the FIPS module was touched, whose checksum
// is wrong then.
func (p *Program) patch() (fips bool) {
	coldGrew := len(p.flood.NewCold) > 0 || len(p.types.later) > 0 || len(p.types.laterItabs) > 0
	for _, part := range p.parts {
		if part.fresh {
			continue
		}
		for i := range part.sites.Hot {
			fips = p.patchSite(&part.sites.Hot[i]) && part == p.fips || fips
		}
		if coldGrew {
			for i := range part.sites.Dead {
				fips = p.patchSite(&part.sites.Dead[i]) && part == p.fips || fips
			}
		}
	}
	return fips
}

func (p *Program) patchSite(s *reloc.Site) bool {
	o, relocs := p.t.Relocs(s.Sym)
	r := &relocs[s.Reloc]
	to := p.t.ResolveKnown(o, r.Ref())
	now := reloc.Effective(p.t, to)
	if now == s.Target {
		return false
	}
	s.Target = now
	addr := p.t.Addr[s.Sym]
	reloc.Apply(p.t, s.Sym, p.Image.At(addr, p.t.Size(s.Sym)), r, to, &p.bases)
	p.Image.Touch(addr+uint32(r.Off()), uint32(r.Size()))
	return true
}
