package program

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/hotreflex/hr/internal/link/dialect"
	"github.com/hotreflex/hr/internal/link/hostobj"
	"github.com/hotreflex/hr/internal/link/symtab"
)

// hostCode is the C part of a program: the objects of the standard library's
// cgo packages, and what they need of shared libraries. It is cold. Every
// section of an object is one symbol of the linker and a root; global names are
// aliases into sections.
type hostCode struct {
	hostobj.Directives
	objects []hostObject
	aliases []alias
	isAlias map[symtab.ID]bool
	names   map[string]symtab.ID // what host code means by a name
	strong  map[string]bool      // names with a definition that is not weak
	roots   []symtab.ID
	dynamic *dynamicPart // nil without shared libraries
}

type hostObject struct {
	name     string
	sections []symtab.ID
	obj      *hostobj.Object
}

// alias is a name for a place inside a section.
type alias struct {
	id, section symtab.ID
	off         uint32
}

// cgoPackages are the packages whose objects the toolchain, too, links without
// the system's linker (cmd/link/internal/ld/lib.go, internalpkg).
var cgoPackages = []string{"net", "os/user", "runtime/cgo"}

var hostKinds = map[hostobj.Class]dialect.Kind{
	hostobj.Code: dialect.Text, hostobj.ReadOnly: dialect.Rodata,
	hostobj.Writable: dialect.Noptrdata, hostobj.Zero: dialect.NoptrBSS,
}

// nameHost makes symbols of everything that host objects define and import.
// It comes before Go objects are added: Go code declares such names as empty
// variables, which give way.
func (p *Program) nameHost(loads []*symtab.Load) {
	h := &p.host
	h.isAlias, h.names, h.strong = map[symtab.ID]bool{}, map[string]symtab.ID{}, map[string]bool{}
	for _, l := range loads {
		s := l.Package()
		if len(s.Archive.Host) > 0 && (s.Hot || !slices.Contains(cgoPackages, s.Path)) {
			symtab.Fail("package %s has C code; only that of %s is linked here", s.Path, strings.Join(cgoPackages, ", "))
		}
		if err := h.Add(s.Archive.Cgo); err != nil {
			symtab.Fail("%s: %v", s.Path, err)
		}
		for _, m := range s.Archive.Host {
			obj, err := hostobj.Parse(m.Data)
			if err != nil {
				symtab.Fail("%s(%s): %v", s.Path, m.Name, err)
			}
			p.addHost(fmt.Sprintf("%s(%s)", s.Path, m.Name), obj)
		}
	}
	if len(h.objects) == 0 {
		return
	}
	h.dynamic = &dynamicPart{used: map[string]*dynamicImport{}}
}

func (p *Program) addHost(name string, obj *hostobj.Object) {
	h := &p.host
	o := hostObject{name: name, obj: obj}
	for _, s := range obj.Sections {
		id := p.t.MakeLocal(name+s.Name, symtab.MadeSym{
			Kind: hostKinds[s.Class], Size: uint32(s.Size), Align: uint32(s.Align), Data: s.Data,
		})
		o.sections = append(o.sections, id)
		h.roots = append(h.roots, id)
	}
	for _, g := range obj.Globals {
		if have := h.names[g.Name]; have != 0 {
			if g.Weak || h.strong[g.Name] {
				if !g.Weak {
					symtab.Fail("%s is defined twice in host objects", g.Name)
				}
				continue
			}
			symtab.Fail("%s has a weak definition that is replaced", g.Name)
		}
		id := p.t.Make(g.Name, abi0, symtab.MadeSym{Kind: dialect.NoptrBSS, Align: 1})
		h.names[g.Name], h.strong[g.Name] = id, !g.Weak
		h.isAlias[id] = true
		h.aliases = append(h.aliases, alias{id, o.sections[g.Section], uint32(g.Off)})
	}
	h.objects = append(h.objects, o)
}

// relocateHost turns the relocations of host sections into those of symbols,
// once all names mean something.
func (p *Program) relocateHost() {
	h := &p.host
	if h.dynamic == nil {
		return
	}
	for _, o := range h.objects {
		for i, s := range o.obj.Sections {
			m := p.t.MadeOf(o.sections[i])
			for _, r := range s.Relocs {
				p.hostReloc(o, m, r)
			}
		}
	}
	names := make([]string, 0, len(h.Exports))
	for name := range h.Exports {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if e := h.Exports[name]; name != "main" {
			h.roots = append(h.roots, p.require(e.Symbol, e.ABI))
		}
	}
	p.makeDynamic()
}

// hostReloc adds a relocation to a section. Host relocations of the pc-relative
// kind count from the place, ours from the end of the instruction's field.
func (p *Program) hostReloc(o hostObject, m *symtab.MadeSym, r hostobj.Reloc) {
	target, dynamic := p.hostTarget(o, r)
	off := int32(r.Off)
	switch r.Kind {
	case hostobj.PCRel, hostobj.Call:
		if dynamic != nil {
			if r.Kind == hostobj.PCRel {
				symtab.Fail("%s refers to %s of a shared library directly", o.name, r.Name)
			}
			target = p.stub(dynamic)
		}
		m.Relocs = append(m.Relocs, symtab.RelocTo(off, 4, dialect.RelocPCRel, r.Add+4, target))
	case hostobj.GOTRel:
		switch {
		case dynamic != nil:
			target = dynamic.slot
		case r.Relax != 0:
			const leaOpcode = 0x8d
			m.Data[r.Relax] = leaOpcode
		default:
			target = p.addressWord(target)
		}
		m.Relocs = append(m.Relocs, symtab.RelocTo(off, 4, dialect.RelocPCRel, r.Add+4, target))
	case hostobj.Abs64, hostobj.Abs32:
		if dynamic != nil {
			symtab.Fail("%s holds the address of %s of a shared library", o.name, r.Name)
		}
		size := uint8(8)
		if r.Kind == hostobj.Abs32 {
			size = 4
		}
		m.Relocs = append(m.Relocs, symtab.RelocTo(off, size, dialect.RelocAddr, r.Add, target))
	}
}

// hostTarget finds what a host relocation points to: a section of the same
// object, a name of another one, an exported Go symbol, or an import.
func (p *Program) hostTarget(o hostObject, r hostobj.Reloc) (symtab.ID, *dynamicImport) {
	h := &p.host
	if r.Section >= 0 {
		return o.sections[r.Section], nil
	}
	if id := h.names[r.Name]; id != 0 {
		return id, nil
	}
	if e, ok := h.Exports[r.Name]; ok {
		return p.require(e.Symbol, e.ABI), nil
	}
	if imp, ok := h.Imports[r.Name]; ok {
		return 0, p.imported(r.Name, imp)
	}
	symtab.Fail("%s refers to %s, which nobody defines", o.name, r.Name)
	return 0, nil
}

// addressWord makes a word that holds the address of a symbol.
func (p *Program) addressWord(target symtab.ID) symtab.ID {
	return p.t.MakeLocal("go:host.address", symtab.MadeSym{
		Kind: dialect.Noptrdata, Align: addrSize, Size: addrSize, Data: make([]byte, addrSize),
		Relocs: relocs(symtab.RelocTo(0, addrSize, dialect.RelocAddr, 0, target)),
	})
}

// placeAliases gives the global names of host objects their addresses.
func (p *Program) placeAliases() {
	for _, a := range p.host.aliases {
		p.t.Addr[a.id] = p.t.Addr[a.section] + a.off
	}
}
