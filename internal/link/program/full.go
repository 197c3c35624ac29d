package program

import (
	"bytes"
	"hash/maphash"
	"slices"

	"github.com/hotreflex/hr/internal/link/dialect"
	"github.com/hotreflex/hr/internal/link/image"
	"github.com/hotreflex/hr/internal/link/layout"
	"github.com/hotreflex/hr/internal/link/reach"
	"github.com/hotreflex/hr/internal/link/reloc"
	"github.com/hotreflex/hr/internal/link/symtab"
)

// resolveAll resolves names and finds what is live, from nothing.
func (p *Program) resolveAll() {
	p.t.Begin(p.hot)
	if s := p.t.Mismatch(nil); s != "" {
		symtab.Fail("%s", s)
	}
	if p.made.moduledata == nil {
		p.override()
		p.relocateHost()
	}
	p.setStrings()
	p.flood = reach.New(p.t)
	p.coldLive, p.reached = p.coldLive[:0], 0
	p.Phases.done("resolve")
	p.reach()
	p.Phases.done("reach")
}

// reach finds what is live with the present objects.
func (p *Program) reach() {
	mainTasks, runtimeTasks := p.order.tasks(p)
	p.setTasks(p.made.mainList, mainTasks)
	p.setTasks(p.made.runtimeList, runtimeTasks)
	n := uint64(len(runtimeTasks))
	p.made.runtimeTasks.Data = le.AppendUint64(le.AppendUint64(make([]byte, 8), n), n)

	roots := []symtab.ID{p.made.entry, p.bases.Unreachable, p.bases.MapInitNoop, p.require("main.main", abiInternal)}
	for _, id := range []symtab.ID{p.t.Lookup("_rt0_amd64_linux", abiInternal), p.t.Lookup("runtime.unreachableMethod", abi0)} {
		if id != 0 {
			roots = append(roots, id)
		}
	}
	for _, id := range p.made.fixed {
		if id != p.made.fips.info && id != p.made.noMemProfile {
			roots = append(roots, id)
		}
	}
	roots = append(roots, p.made.growing...)
	roots = append(roots, p.host.roots...)
	roots = append(roots, mainTasks...)
	roots = append(roots, runtimeTasks...)
	p.flood.Run(roots)
	p.coldLive = append(p.coldLive, p.flood.NewCold...)
	p.reached += p.functionSum(p.flood.NewCold)
	p.setMemProfiling()
}

// functionSum stands for the names of the functions among ids, in any order.
func (p *Program) functionSum(ids []symtab.ID) (sum uint64) {
	for _, id := range ids {
		if p.t.Kind(id).IsText() {
			sum += maphash.String(functionSeed, p.t.Name(id)) | 1
		}
	}
	return sum
}

// functionSeed makes sums comparable within the process, which is all they are
// for.
var functionSeed = maphash.MakeSeed()

// Reached stands for the set of live functions.
func (p *Program) Reached() uint64 { return p.reached + p.functionSum(p.flood.HotLive) }

// layOut places everything that is live and fills a new image.
func (p *Program) layOut() {
	p.types = typeLists{}
	p.typeLists()
	p.parts = p.cut()
	p.collect(p.parts...)
	p.Phases.done("lines")

	info := p.buildInfo()
	var chunks []*layout.Chunk
	for _, part := range p.parts {
		part.measure(p.t)
		chunks = append(chunks, part.Chunk)
	}
	var first *layout.Chunk
	if p.coldTypes = p.coldRun(); p.coldTypes != nil {
		p.collect(p.coldTypes)
		p.coldTypes.measure(p.t)
		first = p.coldTypes.Chunk
		p.parts = append(p.parts, p.coldTypes)
	}
	p.layout = layout.Plan(p.t, chunks, uint32(len(info)), first)
	l := p.layout
	p.setBases()
	for _, part := range p.parts {
		part.Assign(p.t)
		part.fresh = true
	}
	p.placeAliases()
	p.Phases.done("layout")

	p.Image = image.New(layout.Base, l.FileEnd())
	p.Image.Put(l.BuildInfo.Start, info)
	p.writeHeader()
	p.startMask(l.GCData, l.Section[layout.Data])
	p.startMask(l.GCBSS, l.Section[layout.BSS])
	p.fillTables()
	p.fillFresh()
	p.padLines()
	p.sumFIPS()
	p.Phases.done("fill")
}

// isOwn tells whether the linker itself takes care of a live symbol's place.
func (p *Program) isOwn(id symtab.ID) bool {
	if p.t.Bits[id]&symtab.Made == 0 {
		return false
	}
	m := &p.made
	return m.isMark[id] || p.host.isAlias[id] || m.fips.bracket(id) || slices.Contains(m.fixed, id) || slices.Contains(m.growing, id)
}

// cut divides the live symbols into parts. The cold part comes first: its first
// function is the first of the program.
func (p *Program) cut() []*part {
	cold := &part{Chunk: &layout.Chunk{Name: "cold"}}
	fips := &part{Chunk: &layout.Chunk{Name: "fips"}}
	p.fips = fips
	p.own = &part{Chunk: &layout.Chunk{Name: "linker", Hot: true}}
	for _, id := range slices.Concat(p.made.fixed, p.made.growing) {
		if p.t.Bits[id]&symtab.Live != 0 {
			p.own.Add(p.t, id)
		}
	}
	slices.Sort(p.coldLive)
	f := &p.made.fips
	withFIPS := p.t.Bits[f.info]&symtab.Live != 0
	if withFIPS {
		for _, s := range fipsSections {
			fips.Add(p.t, f.start[s.section])
		}
	}
	for _, id := range p.coldLive {
		kind := p.t.Kind(id)
		switch {
		case p.isOwn(id) || p.t.InRun(id) || kind == dialect.TLSBSS:
		case kind.IsFIPS():
			fips.Add(p.t, id)
		default:
			cold.Add(p.t, id)
		}
	}
	if withFIPS {
		for _, s := range fipsSections {
			fips.Add(p.t, f.end[s.section])
		}
	}
	parts := []*part{cold, fips, p.own}
	if p.d.ContiguousTypes {
		p.run = &part{Chunk: &layout.Chunk{Name: "types, hot", Hot: true, Packed: true}}
		p.fillRun(p.run)
		parts = append(parts, p.run)
	}
	p.byPath = map[string]*part{}
	for _, pkg := range p.hot {
		part := &part{Chunk: &layout.Chunk{Name: pkg.Path, Hot: true}, pkg: pkg}
		p.addHot(part)
		p.byPath[pkg.Path] = part
		parts = append(parts, part)
	}
	return parts
}

// addHot puts the live symbols of the part's package into its chunk, in order
// of their IDs, which is their order in the objects.
func (p *Program) addHot(part *part) {
	for _, o := range part.pkg.Objects {
		for id := o.Base; id < o.Base+symtab.ID(o.NDefs()); id++ {
			if p.t.Bits[id]&symtab.Live == 0 || p.t.InRun(id) {
				continue
			}
			if p.t.Kind(id).IsFIPS() {
				symtab.Fail("%s is in the FIPS module but not in the standard library", p.t.Name(id))
			}
			part.Add(p.t, id)
		}
	}
}

// setBases settles the addresses that others are relative to, and the marks.
func (p *Program) setBases() {
	l := p.layout
	text, ro := l.Section[layout.Text], l.Section[layout.Rodata]
	p.bases.TextStart, p.bases.TextEnd = text.Start, text.End()
	p.bases.RodataStart, p.bases.RodataEnd = ro.Start, ro.End()
	p.places.Text, p.places.Rodata, p.places.Ftab = text.Start, ro.Start, l.Ftab.Start
	for name, addr := range p.addresses() {
		if id, ok := p.made.marks["runtime."+name]; ok {
			p.t.Addr[id] = addr
		}
	}
	p.t.Addr[p.made.marks["go:buildinfo"]] = l.BuildInfo.Start
}

// addresses are the ends of sections and tables, by the names of the runtime's
// moduledata.
func (p *Program) addresses() map[string]uint32 {
	l := p.layout
	s := &l.Section
	return map[string]uint32{
		"text": s[layout.Text].Start, "etext": s[layout.Text].End(),
		"minpc": s[layout.Text].Start, "maxpc": s[layout.Text].End(),
		"rodata": s[layout.Rodata].Start, "erodata": s[layout.Rodata].End(),
		"types": s[layout.Rodata].Start, "etypes": s[layout.Rodata].End(),
		"gofunc":    s[layout.Rodata].Start,
		"noptrdata": s[layout.Noptrdata].Start, "enoptrdata": s[layout.Noptrdata].End(),
		"data": s[layout.Data].Start, "edata": s[layout.Data].End(),
		"bss": s[layout.BSS].Start, "ebss": s[layout.BSS].End(),
		"noptrbss": s[layout.NoptrBSS].Start, "enoptrbss": s[layout.NoptrBSS].End(),
		"covctrs": s[layout.NoptrBSS].End(), "ecovctrs": s[layout.NoptrBSS].End(),
		"end":    s[layout.NoptrBSS].End(),
		"gcdata": l.GCData.Start, "egcdata": l.GCData.End(),
		"gcbss": l.GCBSS.Start, "egcbss": l.GCBSS.End(),
		"pclntab": l.PcHeader, "epclntab": s[layout.Rodata].End(),
		"pcHeader": l.PcHeader, "findfunctab": l.FindFunc.Start,
	}
}

// fillFresh computes the bytes of all fresh parts.
func (p *Program) fillFresh() {
	for _, part := range p.parts {
		if part.fresh {
			p.fill(part)
			part.fresh = false
			if !part.Hot {
				// Cold parts are filled once.
				for _, b := range part.lines {
					b.Forget()
				}
			}
		}
	}
}

// batch is how many symbols a goroutine fills at a time: some hundred
// microseconds of work.
const batch = 4096

// traps stand between functions, as the toolchain's linker has them
// (cmd/link/internal/amd64, CodePad): no program runs on unnoticed.
var traps = bytes.Repeat([]byte{0xcc}, layout.TextAlign)

// fill writes the symbols and tables of a part.
func (p *Program) fill(part *part) {
	part.sites = reloc.Sites{}
	type job struct {
		syms  []symtab.ID
		sites reloc.Sites
	}
	var jobs []job
	for s := layout.Text; s <= layout.Data; s++ {
		for syms := range slices.Chunk(part.Syms[s], batch) {
			jobs = append(jobs, job{syms: syms})
		}
	}
	inParallel(len(jobs), func(i int) {
		j := &jobs[i]
		var scratch []byte
		for _, id := range j.syms {
			n := p.t.Size(id)
			scratch = slices.Grow(scratch[:0], int(n))[:n]
			reloc.Fill(p.t, id, scratch, &p.bases, &j.sites)
			if rest := n % layout.TextAlign; rest != 0 && p.t.Kind(id).IsText() {
				scratch = append(scratch, traps[rest:]...)
			}
			p.Image.Put(p.t.Addr[id], scratch)
		}
	})
	for i := range jobs {
		part.sites.Hot = append(part.sites.Hot, jobs[i].sites.Hot...)
		part.sites.Dead = append(part.sites.Dead, jobs[i].sites.Dead...)
	}
	p.fillLines(part)
	p.setMasks(part)
}
