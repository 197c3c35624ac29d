package graph

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// findMode is enough to learn the files of one package: go list -find reads
// nothing of its imports.
const findMode = packages.NeedName | packages.NeedFiles | packages.NeedModule |
	packages.NeedEmbedFiles | packages.NeedEmbedPatterns

// ErrWhole says that a change is beyond a reload of single packages: load all.
var ErrWhole = fmt.Errorf("the whole closure must be listed")

// Reload returns the next snapshot after header changes in the named packages.
// Only they are listed, and the closure of imports that were unknown so far;
// packages that nothing imports any more leave. News tells which packages came
// in, with the archives that the go command compiled for them.
func (s *Snapshot) Reload(ctx context.Context, cfg LoadConfig, dirty []string) (next *Snapshot, news []string, err error) {
	var dirs []string
	for _, path := range dirty {
		p := s.Packages[path]
		if p == nil || p.Fixed || p.Unhandled != "" || p.ImportMap != nil {
			return nil, nil, ErrWhole
		}
		dirs = append(dirs, p.Dir)
	}
	listed, err := listPackages(ctx, cfg, cfg.Flags, findMode, dirs)
	if err != nil {
		return nil, nil, err
	}
	if len(listed) != len(dirty) {
		return nil, nil, ErrWhole
	}
	n := *s
	n.Packages = maps.Clone(s.Packages)
	unknown := map[string]bool{}
	for _, l := range listed {
		old := n.Packages[l.PkgPath]
		if len(l.Errors) > 0 || old == nil || !slices.Contains(dirty, l.PkgPath) || old.Name != l.Name {
			return nil, nil, ErrWhole
		}
		p := packageOf(l, cfg.GOROOT)
		p.Local, p.Export, p.Lang = true, old.Export, old.Lang
		p.readFiles(cfg.Memo)
		if p.Unhandled != "" || len(p.GoFiles) == 0 {
			return nil, nil, ErrWhole
		}
		for _, path := range p.GoFiles {
			c := p.Files[path].Check
			if c == nil || c.Error != nil {
				return nil, nil, ErrWhole
			}
			for _, imp := range c.Imports {
				p.Imports = append(p.Imports, imp.Path)
			}
		}
		slices.Sort(p.Imports)
		p.Imports = slices.Compact(p.Imports)
		for _, imp := range p.Imports {
			if !slices.Contains(old.Imports, imp) && needsJudge(imp, s.Packages[imp]) {
				return nil, nil, ErrWhole
			}
			if s.Packages[imp] == nil {
				unknown[imp] = true
			}
		}
		n.Packages[p.Path] = p
	}
	if len(unknown) > 0 {
		if err := n.add(ctx, cfg, slices.Sorted(maps.Keys(unknown))); err != nil {
			return nil, nil, err
		}
	}
	n.prune()
	if !maps.Equal(s.modules(), n.modules()) {
		return nil, nil, ErrWhole // the program's build info names its modules
	}
	for path := range n.Packages {
		if s.Packages[path] == nil {
			news = append(news, path)
		}
	}
	slices.Sort(news)
	roots := map[string]bool{}
	for _, root := range n.Roots {
		roots[root] = true
	}
	n.Absent = append(slices.Clone(n.Absent), n.fences(roots)...)
	slices.Sort(n.Absent)
	n.Absent = slices.Compact(n.Absent)
	n.Seal()
	if n.Cyclic() {
		return nil, nil, ErrWhole
	}
	return &n, news, nil
}

// needsJudge tells that only the go command can say whether the import is
// allowed: internal packages, main packages, C and vendored paths.
func needsJudge(path string, p *Package) bool {
	for _, elem := range strings.Split(path, "/") {
		if elem == "internal" || elem == "vendor" {
			return true
		}
	}
	return path == "C" || p != nil && p.Name == "main"
}

// add lists the closure of unknown imports and puts what is new into n.
func (n *Snapshot) add(ctx context.Context, cfg LoadConfig, paths []string) error {
	listed, err := listPackages(ctx, cfg, cfg.DepFlags, closureMode, paths)
	if err != nil {
		return err
	}
	bad := false
	var fresh []*Package
	packages.Visit(listed, nil, func(p *packages.Package) {
		bad = bad || len(p.Errors) > 0
		if n.Packages[p.PkgPath] == nil {
			q := packageOf(p, cfg.GOROOT)
			n.Packages[q.Path] = q
			fresh = append(fresh, q)
		}
	})
	for _, path := range paths {
		if bad || n.Packages[path] == nil || n.Packages[path].Name == "main" {
			return ErrWhole
		}
	}
	for _, q := range fresh {
		above := !q.Fixed
		for _, imp := range q.Imports {
			p := n.Packages[imp]
			above = above || p != nil && p.Local
		}
		if q.Fixed && above {
			return ErrWhole // a fixed package above the workspace: rare, and its order matters
		}
		if q.Local = above; above {
			q.readFiles(cfg.Memo)
			if !slices.Contains(n.Roots, moduleRoot(q.Dir)) {
				return ErrWhole
			}
			continue
		}
		n.Packages[q.Path] = &Package{
			Path: q.Path, Name: q.Name, Dir: q.Dir, Fixed: true, Std: q.Std,
			Module: q.Module, Version: q.Version, Imports: q.Imports, Export: q.Export,
		}
	}
	return nil
}

// prune drops what the target no longer reaches.
func (n *Snapshot) prune() {
	seen := map[string]bool{}
	var visit func(path string)
	visit = func(path string) {
		if seen[path] {
			return
		}
		seen[path] = true
		if p := n.Packages[path]; p != nil {
			for _, imp := range p.Imports {
				visit(imp)
			}
		}
	}
	visit(n.Target)
	for _, path := range n.Implicit {
		visit(path)
	}
	maps.DeleteFunc(n.Packages, func(path string, _ *Package) bool { return !seen[path] })
}

// modules returns the modules of the closure, as the build info lists them.
func (s *Snapshot) modules() map[string]string {
	m := map[string]string{}
	for _, p := range s.Packages {
		if p.Module != "" {
			m[p.Module] = p.Version
		}
	}
	return m
}
