package graph

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/tools/go/packages"

	"github.com/hotreflex/hr/astcheck"
	"github.com/hotreflex/hr/tags"
)

// LoadConfig says what to load and as whom.
type LoadConfig struct {
	Dir      string   // the go command's directory
	Env      []string // the client's environment
	Flags    []string // go build flags, one word each
	AllFlags []string // the same with those of GOFLAGS in front
	// DepFlags are Flags for packages that the user did not name: the go command
	// gives -gcflags without a pattern only to those on its command line.
	DepFlags []string
	Patterns []string // the main package, or its files
	// Implicit are packages that the linker adds to every program of this kind:
	// runtime, and runtime/cgo or runtime/race with their flags.
	Implicit []string
	Context  tags.Context
	GOROOT   string
	Work     string // go env GOWORK: a path, "off" or nothing
	// Settings are the files in which the go command finds its own settings.
	Settings []string
	Memo     Memo // remembers prechecks by content; may be nil
	// Go is the client's go command, Self how this executable is called to run
	// another one than its own: its main must hand such calls to RunList. Without
	// both the go command of this process is asked.
	Go   string
	Self []string
}

// Memo remembers prechecks by the hash of the content.
type Memo interface {
	Precheck(hash string) *astcheck.Precheck
	Remember(hash string, p *astcheck.Precheck)
}

// ErrList is the error of a closure that the go command cannot load: a missing
// package, a cycle, nonsense in go.mod. Only the go command can explain it.
var ErrList = errors.New("list packages")

// closureMode is what one snapshot needs of every package. NeedExportFile makes
// the go command compile what its cache lacks.
const closureMode = packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedDeps |
	packages.NeedModule | packages.NeedEmbedFiles | packages.NeedEmbedPatterns | packages.NeedExportFile

// Load lists the closure of cfg.Patterns, which must be one main package, with
// the archives that the go command compiled.
func Load(ctx context.Context, cfg LoadConfig) (*Snapshot, error) {
	roots, err := listPackages(ctx, cfg, cfg.Flags, closureMode, cfg.Patterns)
	if err != nil {
		return nil, err
	}
	if len(roots) != 1 || roots[0].Name != "main" {
		return nil, fmt.Errorf("%w: %s is not a main package", ErrList, strings.Join(cfg.Patterns, " "))
	}
	main := roots[0]
	s := &Snapshot{
		Implicit: slices.Clone(cfg.Implicit),
		Context:  cfg.Context,
		Target:   main.PkgPath,
		Dir:      cfg.Dir,
		Packages: map[string]*Package{},
	}
	if err := s.take(roots, cfg); err != nil {
		return nil, err
	}
	var missing []string
	for _, path := range cfg.Implicit {
		if s.Packages[path] == nil {
			missing = append(missing, path)
		}
	}
	if len(missing) > 0 {
		more, err := listPackages(ctx, cfg, cfg.DepFlags, closureMode, missing)
		if err != nil {
			return nil, err
		}
		if err := s.take(more, cfg); err != nil {
			return nil, err
		}
	}
	s.markLocal()
	s.findModules(cfg.Work, cfg.AllFlags, cfg.Settings)
	if err := s.readFiles(cfg.Memo); err != nil {
		return nil, err
	}
	return s.Seal(), nil
}

// Exports lists the closure once more and returns the archives alone. The go
// command finds an archive by the content of all that went into it: a package
// whose archive is the same as before has the same files as before.
func Exports(ctx context.Context, cfg LoadConfig) (map[string]string, error) {
	mode := packages.NeedName | packages.NeedImports | packages.NeedDeps | packages.NeedExportFile
	roots, err := listPackages(ctx, cfg, cfg.Flags, mode, cfg.Patterns)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	packages.Visit(roots, nil, func(p *packages.Package) { out[p.PkgPath] = p.ExportFile })
	return out, nil
}

// take puts listed packages and all that they import into s.
func (s *Snapshot) take(roots []*packages.Package, cfg LoadConfig) error {
	var bad error
	packages.Visit(roots, nil, func(p *packages.Package) {
		for _, e := range p.Errors {
			bad = errors.Join(bad, fmt.Errorf("%w: %s", ErrList, e.Msg))
		}
		if s.Packages[p.PkgPath] == nil {
			s.Packages[p.PkgPath] = packageOf(p, cfg.GOROOT)
		}
	})
	return bad
}

// packageOf keeps what we need of a listed package.
func packageOf(p *packages.Package, goroot string) *Package {
	q := &Package{
		Path:    p.PkgPath,
		Name:    p.Name,
		Dir:     p.Dir,
		Export:  p.ExportFile,
		GoFiles: p.GoFiles,
	}
	// go list calls the main package of a list of files that.
	if p.ID == "command-line-arguments" {
		q.Unhandled = "files on the command line"
	}
	if q.Dir == "" && len(p.GoFiles) > 0 {
		q.Dir = filepath.Dir(p.GoFiles[0])
	}
	// go/packages makes the patterns absolute; the source has them relative.
	for _, pat := range p.EmbedPatterns {
		q.EmbedPatterns = append(q.EmbedPatterns, relativePattern(q.Dir, pat))
	}
	for spelled, imp := range p.Imports {
		q.Imports = append(q.Imports, imp.PkgPath)
		if spelled != imp.PkgPath {
			if q.ImportMap == nil {
				q.ImportMap = map[string]string{}
			}
			q.ImportMap[spelled] = imp.PkgPath
		}
	}
	slices.Sort(q.Imports)
	q.Imports = slices.Compact(q.Imports)
	switch m := p.Module; {
	case m == nil:
		q.Std = goroot != "" && under(q.Dir, filepath.Join(goroot, "src")) || q.Dir == ""
		q.Fixed = q.Std
	default:
		q.Module, q.Version = m.Path, m.Version
		q.Lang = m.GoVersion
		if m.Replace != nil && m.Replace.GoVersion != "" {
			q.Lang = m.Replace.GoVersion
		}
		// A module of the cache never changes; the workspace's, a replacement by
		// a directory and the vendor directory do.
		local := m.Main || m.Version == "" || m.Replace != nil && m.Replace.Version == ""
		vendored := m.Dir == "" || !under(q.Dir, m.Dir)
		q.Fixed = !local && !vendored
	}
	q.Files = map[string]*File{}
	for _, f := range p.GoFiles {
		q.Files[f] = &File{Path: f, Kind: Go}
	}
	for _, f := range p.OtherFiles {
		q.Files[f] = &File{Path: f, Kind: Other}
		if q.Unhandled == "" {
			q.Unhandled = unhandledFile(f)
		}
	}
	for _, f := range p.EmbedFiles {
		if q.Files[f] != nil {
			q.Files[f].Embedded = true
		} else {
			q.Files[f] = &File{Path: f, Kind: Embed}
		}
	}
	return q
}

// relativePattern undoes what go/packages does to an embed pattern
// (golist.go, absJoin); "all:" stays where it ends up, behind the directory.
func relativePattern(dir, pattern string) string {
	rel, err := filepath.Rel(dir, pattern)
	if err != nil {
		return pattern
	}
	return filepath.ToSlash(rel)
}

// unhandledFile says why a package with that file is left to the go command.
func unhandledFile(path string) string {
	switch filepath.Ext(path) {
	case ".s", ".S", ".sx":
		return "assembly"
	case ".syso":
		return "a .syso object"
	case ".swig", ".swigcxx":
		return "swig"
	}
	return "C files"
}

// markLocal finds the packages that we may have to compile: the workspace's and
// every package above one of them. Of all others only name and archive are kept.
func (s *Snapshot) markLocal() {
	memo := map[string]bool{}
	var local func(path string) bool
	local = func(path string) bool {
		if l, ok := memo[path]; ok {
			return l
		}
		memo[path] = false // breaks a cycle of a broken closure
		p := s.Packages[path]
		if p == nil {
			return false
		}
		l := !p.Fixed
		for _, imp := range p.Imports {
			l = local(imp) || l
		}
		memo[path] = l
		return l
	}
	for path, p := range s.Packages {
		if p.Local = local(path); !p.Local {
			s.Packages[path] = &Package{
				Path: p.Path, Name: p.Name, Dir: p.Dir, Fixed: true, Std: p.Std,
				Module: p.Module, Version: p.Version, Imports: p.Imports, Export: p.Export,
			}
		}
	}
}

// readFiles hashes and prechecks the files of all Local packages on all cores.
func (s *Snapshot) readFiles(memo Memo) error {
	var jobs []*Package
	for _, path := range slices.Sorted(maps.Keys(s.Packages)) {
		if p := s.Packages[path]; p.Local {
			jobs = append(jobs, p)
		}
	}
	var wg sync.WaitGroup
	next := make(chan *Package)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for p := range next {
				p.readFiles(memo)
			}
		})
	}
	for _, p := range jobs {
		next <- p
	}
	close(next)
	wg.Wait()
	return nil
}

// readFiles fills in the package's files and listings. It is called while the
// package is being made, never after.
func (p *Package) readFiles(memo Memo) {
	for path, f := range p.Files {
		now := readInput(path, f.Kind, memo)
		now.Embedded = f.Embedded
		p.Files[path] = now
		if c := now.Check; c != nil && c.Cgo != "" {
			p.Unhandled = "cgo"
		}
	}
	p.Listings = []*Listing{list(p.Dir, false)}
	p.Ignored = map[string]Stamp{}
	for _, path := range namesIn(p.Dir, false) {
		if p.Files[path] == nil && filepath.Ext(path) == ".go" {
			p.Ignored[path] = StampOf(path)
		}
	}
	for _, dir := range embedDirs(p) {
		p.Listings = append(p.Listings, list(dir, true))
	}
}

// readInput reads one input. An unreadable file has no hash: the build will say
// what is wrong with it.
func readInput(path string, kind Kind, memo Memo) *File {
	if kind != Go {
		hash, stamp, _ := hashFile(path)
		return &File{Path: path, Kind: kind, Stamp: stamp, Hash: hash}
	}
	data, stamp, err := readFile(path)
	f := &File{Path: path, Kind: kind, Stamp: stamp}
	if err != nil {
		return f
	}
	f.Hash = HashOf(data)
	if memo != nil {
		f.Check = memo.Precheck(f.Hash)
	}
	if f.Check == nil {
		c := astcheck.Check(path, data)
		f.Check = &c
		if memo != nil && c.Error == nil {
			memo.Remember(f.Hash, &c)
		}
	}
	return f
}

func isDir(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.IsDir()
}
