package program

import (
	"encoding/binary"
	"sort"

	"github.com/hotreflex/hr/internal/link/dialect"
	"github.com/hotreflex/hr/internal/link/symtab"
)

var le = binary.LittleEndian

const (
	abi0        = 0
	abiInternal = 1
	addrSize    = 8
)

// madeSyms are the symbols that the linker provides or gives content to.
type madeSyms struct {
	entry  symtab.ID
	marks  map[string]symtab.ID // addresses that code can ask for, by name
	isMark map[symtab.ID]bool

	// The linker's own chunk: those of fixed size, which code refers to and
	// which therefore never move, before those that grow.
	fixed, growing []symtab.ID

	moduledata, runtimeTasks       *symtab.MadeSym
	second                         symtab.ID // module data of the second run of types
	mainList, runtimeList          symtab.ID // arrays of init tasks
	typelinks, itablinks, textsect symtab.ID
	padFunc                        symtab.ID // function record of unused table entries
	noMemProfile                   symtab.ID // runtime.disableMemoryProfiling, or 0
	fips                           fipsSyms
}

// markNames are symbols that stand for an address. The runtime asks for few of
// them; assembly and linkname may ask for any.
var markNames = []string{
	"runtime.text", "runtime.etext", "runtime.rodata", "runtime.erodata",
	"runtime.types", "runtime.etypes", "runtime.noptrdata", "runtime.enoptrdata",
	"runtime.data", "runtime.edata", "runtime.bss", "runtime.ebss",
	"runtime.noptrbss", "runtime.enoptrbss", "runtime.covctrs", "runtime.ecovctrs",
	"runtime.end", "runtime.gcdata", "runtime.egcdata", "runtime.gcbss", "runtime.egcbss",
	"runtime.pclntab", "runtime.epclntab", "runtime.findfunctab",
	"go:buildinfo", "runtime.tlsg",
}

// makeSyms names the linker's symbols before any package is in the table.
func (p *Program) makeSyms() {
	m := &p.made
	m.marks, m.isMark = map[string]symtab.ID{}, map[symtab.ID]bool{}
	for _, name := range markNames {
		m.marks[name] = p.t.Make(name, abi0, symtab.MadeSym{Kind: dialect.NoptrBSS, Align: 1})
		m.isMark[m.marks[name]] = true
	}
	noptr := symtab.MadeSym{Kind: dialect.Noptrdata, Align: addrSize}
	ro := symtab.MadeSym{Kind: dialect.Rodata, Align: addrSize}
	m.mainList = p.t.Make("go:main.inittasks", abi0, noptr)
	m.runtimeList = p.t.Make("go:runtime.inittasks", abi0, noptr)
	m.typelinks = p.t.Make("runtime.typelink", abi0, ro)
	m.itablinks = p.t.Make("runtime.itablink", abi0, ro)
	m.textsect = p.t.MakeLocal("runtime.textsectionmap", symtab.MadeSym{Kind: dialect.Rodata, Align: addrSize, Size: 24})
	m.padFunc = p.t.MakeLocal("go:unused", symtab.MadeSym{Kind: dialect.Rodata, Align: addrSize, Size: 48})
	p.makeFIPS()
	m.fixed = append(m.fixed, m.textsect, m.padFunc)
	m.growing = []symtab.ID{m.mainList, m.runtimeList, m.typelinks, m.itablinks}
}

// override gives the linker's content to variables of the runtime.
func (p *Program) override() {
	m := &p.made
	m.entry = p.require("_rt0_amd64_linux", abi0)
	p.bases.Unreachable = p.require("runtime.unreachableMethod", abiInternal)
	p.bases.MapInitNoop = p.require("runtime.mapinitnoop", abiInternal)
	p.places.DeferReturn = p.require("runtime.deferreturn", abiInternal)

	first := p.require("runtime.firstmoduledata", abi0)
	m.moduledata = p.t.Override(first, symtab.MadeSym{
		Kind: dialect.Noptrdata, Align: 32, Size: p.t.Size(first),
	})
	if p.d.ContiguousTypes {
		m.second = p.t.MakeLocal("runtime.secondmoduledata", symtab.MadeSym{
			Kind: dialect.Noptrdata, Align: 32, Size: m.moduledata.Size,
		})
		m.fixed = append(m.fixed, m.second)
	}
	last := p.require("runtime.lastmoduledatap", abi0)
	p.t.Override(last, symtab.MadeSym{
		Kind: dialect.Noptrdata, Align: addrSize, Size: addrSize,
		Relocs: relocs(symtab.RelocTo(0, addrSize, dialect.RelocAddr, 0, first)),
	})
	tasks := p.require("runtime.runtime_inittasks", abi0)
	m.runtimeTasks = p.t.Override(tasks, symtab.MadeSym{
		Kind: dialect.Noptrdata, Align: addrSize, Size: 24,
		Relocs: relocs(symtab.RelocTo(0, addrSize, dialect.RelocAddr, 0, m.runtimeList)),
	})
	m.fixed = append(m.fixed, first, last, tasks)

	if id := p.t.Lookup("runtime.disableMemoryProfiling", abi0); id != 0 {
		p.t.Override(id, symtab.MadeSym{Kind: dialect.Noptrdata, Align: 1, Size: 1, Data: []byte{0}})
		m.noMemProfile = id
		m.fixed = append(m.fixed, id)
	}

	version, err := dialect.VersionLine(p.in.GOROOT)
	if err != nil {
		symtab.Fail("read version: %v", err)
	}
	p.version = version
	p.setString("runtime.buildVersion", version)
	if p.in.Root != "" {
		p.setString("runtime.defaultGOROOT", p.in.Root)
	}
	if p.in.ModInfo != "" {
		p.setString("runtime.modinfo", p.in.ModInfo)
	}
}

// setMemProfiling tells the runtime not to collect a memory profile that nobody
// can read.
func (p *Program) setMemProfiling() {
	if p.made.noMemProfile == 0 {
		return
	}
	reader := p.t.Lookup("runtime.memProfileInternal", abiInternal)
	off := byte(0)
	if reader == 0 || p.t.Bits[reader]&symtab.Live == 0 {
		off = 1
	}
	p.t.MadeOf(p.made.noMemProfile).Data = []byte{off}
}

// setStrings carries out -X. Variables of hot packages come anew with each
// version of the package, so this is done for every link.
func (p *Program) setStrings() {
	names := make([]string, 0, len(p.in.Strings))
	for name := range p.in.Strings {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		p.setString(name, p.in.Strings[name])
	}
}

// setString makes the initial value of a string variable, if there is one of
// that name (cmd/link/internal/ld/data.go, addstrdata).
func (p *Program) setString(name, value string) {
	id := p.t.Lookup(name, abi0)
	if id == 0 || p.t.MadeOf(id) != nil {
		return
	}
	if typ := p.t.Gotype(id); typ == 0 || p.t.Name(typ) != "type:string" {
		symtab.Fail("cannot set with -X: %s is not a string variable", name)
	}
	text, ok := p.strings[value]
	if !ok {
		text = p.t.MakeLocal("go:string.linker", symtab.MadeSym{
			Kind: dialect.Rodata, Align: 1, Size: uint32(len(value)), Data: []byte(value),
		})
		p.strings[value] = text
	}
	data := make([]byte, 16)
	le.PutUint64(data[8:], uint64(len(value)))
	v := symtab.MadeSym{Kind: dialect.Data, Align: addrSize, Size: 16, Data: data}
	if value != "" {
		v.Relocs = relocs(symtab.RelocTo(0, addrSize, dialect.RelocAddr, 0, text))
	}
	p.t.Override(id, v)
}

func (p *Program) require(name string, abi uint16) symtab.ID {
	id := p.t.Lookup(name, abi)
	if id == 0 {
		symtab.Fail("%s is not defined", name)
	}
	return id
}
