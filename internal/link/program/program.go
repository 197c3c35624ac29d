// Package program links a set of archives into an image in memory and keeps
// everything that it takes to link the next version of them quickly.
//
// Link does a full link the first time, and later a relink: replaced hot
// packages are read, hot names resolved and hot symbols flooded again, and of
// the image only what differs is computed. Whatever a relink cannot do in place
// it does as a full layout from what is in memory. The image is the same for
// the program either way.
//
// It does not write files and knows nothing of flags. Package link calls it. A
// Program belongs to one goroutine at a time; it uses others inside.
package program

import (
	"fmt"
	"io"
	"runtime/debug"

	"github.com/hotreflex/hr/internal/link/dialect"
	"github.com/hotreflex/hr/internal/link/image"
	"github.com/hotreflex/hr/internal/link/layout"
	"github.com/hotreflex/hr/internal/link/pcln"
	"github.com/hotreflex/hr/internal/link/reach"
	"github.com/hotreflex/hr/internal/link/reloc"
	"github.com/hotreflex/hr/internal/link/symtab"
)

// Input is what a program is linked from.
type Input struct {
	Packages []Package // any order; one of them is Main
	GOROOT   string    // of the toolchain
	Version  string    // runtime.Version of the toolchain
	// Root is the value of runtime.defaultGOROOT and of $GOROOT in file names;
	// empty with -trimpath.
	Root    string
	ModInfo string
	Strings map[string]string // -X: variable to value
}

// Package is one archive.
type Package struct {
	Path, File string
	Hot, Main  bool
}

// Program is a linked program and the knowledge behind it.
type Program struct {
	in             Input
	archives       *symtab.Archives
	d              *dialect.Dialect
	t              *symtab.Table
	main           *symtab.Package
	hot            []*symtab.Package // in order of resolution, main last
	flood          *reach.Flood
	order          initOrder
	made           madeSyms
	host           hostCode
	layout         *layout.Layout
	parts          []*part
	own            *part            // of the linker's own symbols
	fips           *part            // of the FIPS module, empty if the program has none
	byPath         map[string]*part // hot parts
	coldTypes, run *part            // runs of types, see contiguous.go; else nil
	types          typeLists
	Image          *image.Image
	bases          reloc.Bases
	places         pcln.Places

	version  string               // what runtime.Version returns
	strings  map[string]symtab.ID // texts of variables that were set
	coldLive []symtab.ID          // all live cold symbols
	reached  uint64               // functionSum of coldLive
	retired  []*symtab.Package    // replaced in the last link
	Phases   Phases               // of the last link
}

// part is a chunk with what is kept of it between links.
type part struct {
	*layout.Chunk
	pkg   *symtab.Package // of a hot part
	lines []*pcln.Block   // of consecutive functions
	sites reloc.Sites
	fresh bool // must be filled in this link
}

// Mode tells what a link did.
type Mode string

const (
	Full   Mode = "full"   // archives read, everything laid out
	Layout Mode = "layout" // everything laid out from memory
	Relink Mode = "relink"
)

// New links in for the first time. It shares what it reads with the other
// programs that have these archives, which may be nil.
func New(in Input, archives *symtab.Archives) (p *Program, err error) {
	p = &Program{in: in, archives: archives, strings: map[string]symtab.ID{}}
	defer catch(&err)
	p.Phases.start()
	p.load()
	p.resolveAll()
	p.layOut()
	return p, nil
}

// Input is what the program was last linked from.
func (p *Program) Input() Input { return p.in }

// catch turns a thrown Fault, and any run-time error that malformed input may
// have caused past the checks, into an error. A Program is unusable after one.
func catch(err *error) {
	switch r := recover().(type) {
	case nil:
	case *symtab.Fault:
		*err = r
	case error:
		*err = &symtab.Fault{Reason: "internal: " + r.Error()}
		if debugPanics {
			panic(r)
		}
	default:
		panic(r)
	}
}

// HoldFaults has catch get what otherwise ends the process: an archive that was
// cut after it was mapped faults where it is read. It is for one goroutine,
// until the func is called.
func HoldFaults() func() {
	before := debug.SetPanicOnFault(true)
	return func() { debug.SetPanicOnFault(before) }
}

// Entry is the address where the program starts.
func (p *Program) entry() uint32 { return p.t.Addr[p.made.entry] }

// EscapePath is a package path as it stands in symbol names.
func EscapePath(path string) string { return symtab.EscapePath(path) }

// HeapBytes estimates the memory that the program holds, without the mappings
// of archives, which the system can drop.
func (p *Program) HeapBytes() int64 {
	n := p.t.HeapBytes() + int64(len(p.Image.B))
	for _, part := range p.parts {
		for _, b := range part.lines {
			n += b.HeapBytes()
		}
		n += int64(cap(part.sites.Hot)+cap(part.sites.Dead)) * 12
		for _, syms := range part.Syms {
			n += int64(cap(syms)) * 4
		}
	}
	return n
}

// Describe writes what a report of a wrong link should hold.
func (p *Program) Describe(w io.Writer) {
	fmt.Fprintf(w, "toolchain %s, %d packages\n\nchunks:\n", p.in.Version, len(p.in.Packages))
	for _, part := range p.parts {
		fmt.Fprintf(w, "%v\n", part.Chunk)
	}
	fmt.Fprintf(w, "\npackages:\n")
	for _, pkg := range p.in.Packages {
		fmt.Fprintf(w, "%s hot=%v main=%v %s\n", pkg.Path, pkg.Hot, pkg.Main, pkg.File)
	}
}
