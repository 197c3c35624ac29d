// Package graph is the immutable picture of one program's source: its packages,
// their files with stamps and prechecks, and who imports whom, for one build
// context.
//
// It loads through golang.org/x/tools/go/packages, judges changed paths, tells
// what a batch can affect and makes the next snapshot from the last one. It
// does not watch, does not compile and keeps nothing. Package build drives it
// in the daemon; cmd/hr reads the snapshot that the daemon sends. A Snapshot
// and all that hangs on it may be read by any number of goroutines; nothing in
// it changes after it was made.
package graph

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hotreflex/hr/astcheck"
	"github.com/hotreflex/hr/tags"
)

// Version is part of the key of every stored snapshot: raise it when the
// meaning of a field changes.
const Version = 3

// Snapshot is a program's closure in one build context, tests excluded.
type Snapshot struct {
	Context  tags.Context        `json:"context"`
	Target   string              `json:"target"` // import path of the main package
	Dir      string              `json:"dir"`    // directory in which the go command ran
	Packages map[string]*Package `json:"packages"`
	Implicit []string            `json:"implicit,omitempty"` // added by the linker, imported by nobody
	// Inputs are the files outside packages that the build reads: go.mod,
	// go.sum, go.work, vendor/modules.txt and the go.mod of local replacements.
	Inputs map[string]*File `json:"inputs"`
	// Absent are files that the go command looked for and did not find; their
	// appearance changes the build.
	Absent []string `json:"absent"`
	// Roots are the directories of the workspace's modules.
	Roots []string `json:"roots"`
	// Partial is true for a snapshot without the files of fixed packages'
	// importers, as View makes it: enough to judge paths, not to build.
	Partial bool `json:"partial,omitempty"`

	index *index
}

// Package is one package of the closure.
type Package struct {
	Path  string `json:"path"`
	Name  string `json:"name,omitempty"`
	Dir   string `json:"dir,omitempty"`
	Fixed bool   `json:"fixed,omitempty"` // of GOROOT or the module cache: its files do not change
	Std   bool   `json:"std,omitempty"`
	// Local packages are compiled by us: workspace packages, and fixed ones that
	// import a workspace package.
	Local bool `json:"local,omitempty"`
	// Lang is the language version of its module, as in "1.26".
	Lang string `json:"lang,omitempty"`
	// Module and Version name its module; Main is set for a module of the
	// workspace.
	Module  string `json:"module,omitempty"`
	Version string `json:"version,omitempty"`
	// Imports are the paths of its direct imports as the compiler resolves them,
	// sorted; ImportMap holds those that are spelled otherwise in the source.
	Imports   []string          `json:"imports,omitempty"`
	ImportMap map[string]string `json:"importMap,omitempty"`
	// Export is the archive that the go command compiled.
	Export string `json:"export,omitempty"`

	// Files are the inputs of a Local package by absolute path.
	Files map[string]*File `json:"files,omitempty"`
	// GoFiles are the paths of the Go files in the go command's order.
	GoFiles []string `json:"goFiles,omitempty"`
	// Ignored are the stamps of files beside them that a constraint keeps out:
	// an edit can let one in.
	Ignored map[string]Stamp `json:"ignored,omitempty"`
	// EmbedPatterns and the embedded files by the path that the pattern matched.
	EmbedPatterns []string `json:"embedPatterns,omitempty"`
	// Listings are directories whose content decides the file set: the
	// package's own and those that its embed patterns reach.
	Listings []*Listing `json:"listings,omitempty"`
	// Unhandled says why this package is never compiled by a recipe: "cgo",
	// "assembly"; empty if it is.
	Unhandled string `json:"unhandled,omitempty"`
}

// Kind is what a file is to the package that reads it.
type Kind string

// The kinds of files.
const (
	Go     Kind = "go"
	Embed  Kind = "embed"
	Other  Kind = "other"  // assembly, C, headers, .syso
	Module Kind = "module" // go.mod and its kin
)

// File is one input with the state that the snapshot knows.
type File struct {
	Path string `json:"path"`
	Kind Kind   `json:"kind"`
	// Embedded tells that a source file is embedded as well.
	Embedded bool `json:"embedded,omitempty"`

	Stamp Stamp              `json:"stamp"`
	Hash  string             `json:"hash"` // hex SHA-256 of the content, "" if it could not be read
	Check *astcheck.Precheck `json:"check,omitempty"`
}

// IsEmbedded tells that an embed pattern of the package matches the file.
func (f *File) IsEmbedded() bool { return f.Kind == Embed || f.Embedded }

// index holds what lookups need; it is derived from the snapshot.
type index struct {
	byFile map[string][]*Package // input file -> packages that read it, sorted
	byDir  map[string]*Package   // directory -> Local package
	lists  map[string][]*Package // listed directory -> packages that list it
	embeds map[string][]*Package // directory between a package and a file that it embeds -> packages
	rev    map[string][]string   // package -> Local packages importing it, sorted
	absent map[string]bool
	order  []string // Local packages, imports first
	cycle  bool
}

// Whole tells that a decoded snapshot has a value wherever one belongs.
func (s *Snapshot) Whole() bool {
	for _, p := range s.Packages {
		if p == nil {
			return false
		}
		for _, f := range p.Files {
			if f == nil {
				return false
			}
		}
		for _, l := range p.Listings {
			if l == nil {
				return false
			}
		}
	}
	for _, f := range s.Inputs {
		if f == nil {
			return false
		}
	}
	return true
}

// Seal derives the lookups of a snapshot that was decoded or assembled, and
// returns it. It must be called before any other method.
func (s *Snapshot) Seal() *Snapshot {
	x := &index{
		byFile: map[string][]*Package{},
		byDir:  map[string]*Package{},
		lists:  map[string][]*Package{},
		embeds: map[string][]*Package{},
		rev:    map[string][]string{},
		absent: map[string]bool{},
	}
	for _, a := range s.Absent {
		x.absent[a] = true
	}
	for _, path := range slices.Sorted(maps.Keys(s.Packages)) {
		p := s.Packages[path]
		if !p.Local {
			continue
		}
		x.byDir[p.Dir] = p
		for f := range p.Files {
			x.byFile[f] = append(x.byFile[f], p)
		}
		for _, dir := range p.embedParents() {
			x.embeds[dir] = append(x.embeds[dir], p)
		}
		for _, l := range p.Listings {
			x.lists[l.Dir] = append(x.lists[l.Dir], p)
		}
		for _, imp := range p.Imports {
			x.rev[imp] = append(x.rev[imp], path)
		}
	}
	x.order, x.cycle = s.topological()
	s.index = x
	return s
}

// Order returns the Local packages, imports before importers.
func (s *Snapshot) Order() []string { return s.index.order }

// Cyclic tells that the packages import each other in a circle, which only the
// go command can explain.
func (s *Snapshot) Cyclic() bool { return s.index.cycle }

// Importers returns the Local packages that import path directly, sorted.
func (s *Snapshot) Importers(path string) []string { return s.index.rev[path] }

// Readers returns the packages that read the file: the one whose directory it is
// in, and those that embed it.
func (s *Snapshot) Readers(path string) []*Package { return s.index.byFile[path] }

// OfFile returns the package that reads the file, nil if none does; of several
// the one whose directory it is in.
func (s *Snapshot) OfFile(path string) *Package {
	readers := s.Readers(path)
	for _, p := range readers {
		if p.Dir == filepath.Dir(path) {
			return p
		}
	}
	if len(readers) > 0 {
		return readers[0]
	}
	return nil
}

// File returns the input at path, nil if it is none.
func (s *Snapshot) File(path string) *File {
	if p := s.OfFile(path); p != nil {
		return p.Files[path]
	}
	return s.Inputs[path]
}

// Main returns the main package.
func (s *Snapshot) Main() *Package { return s.Packages[s.Target] }

// WatchDirs returns every directory in which a change can matter, sorted.
func (s *Snapshot) WatchDirs() []string {
	set := map[string]bool{}
	for _, p := range s.Packages {
		if p.Fixed || !p.Local {
			continue
		}
		set[p.Dir] = true
		for _, l := range p.Listings {
			set[l.Dir] = true
		}
		for f := range p.Files {
			set[filepath.Dir(f)] = true
		}
	}
	for f := range s.Inputs {
		set[filepath.Dir(f)] = true
	}
	for _, f := range s.Absent {
		if dir := filepath.Dir(f); isDir(dir) {
			set[dir] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// Awaits tells whether a file that was looked for in vain would lie in the
// directory.
func (s *Snapshot) Awaits(dir string) bool {
	return slices.ContainsFunc(s.Absent, func(file string) bool { return filepath.Dir(file) == dir })
}

// Holds tells whether a directory of the snapshot is path or lies below it.
func (s *Snapshot) Holds(path string) bool {
	if s.index.byDir[path] != nil || s.index.lists[path] != nil || s.index.embeds[path] != nil {
		return true
	}
	for dir := range s.index.lists {
		if under(dir, path) {
			return true
		}
	}
	return false
}

// View returns the part of the snapshot that judging paths needs: workspace
// packages whole, of all others the name.
func (s *Snapshot) View() *Snapshot {
	v := *s
	v.Partial = true
	v.Packages = make(map[string]*Package, len(s.Packages))
	for path, p := range s.Packages {
		if p.Local {
			v.Packages[path] = p
			continue
		}
		v.Packages[path] = &Package{Path: p.Path, Fixed: p.Fixed, Std: p.Std}
	}
	return v.Seal()
}

// topological orders the Local packages, imports first and otherwise by path.
func (s *Snapshot) topological() (order []string, cycle bool) {
	const (
		open = 1
		done = 2
	)
	state := map[string]int{}
	var visit func(path string)
	visit = func(path string) {
		p := s.Packages[path]
		if p == nil || !p.Local || state[path] == done {
			return
		}
		if state[path] == open {
			cycle = true
			return
		}
		state[path] = open
		for _, imp := range p.Imports {
			visit(imp)
		}
		state[path] = done
		order = append(order, path)
	}
	for _, path := range slices.Sorted(maps.Keys(s.Packages)) {
		visit(path)
	}
	return order, cycle
}

// under tells whether path lies in dir or below it.
func under(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, dir+string(filepath.Separator))
}
