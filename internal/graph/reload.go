package graph

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// findMode is enough to learn the files of one package: go list -find reads
// nothing of its imports.
const findMode = packages.NeedName | packages.NeedFiles | packages.NeedModule |
	packages.NeedEmbedFiles | packages.NeedEmbedPatterns

// ErrWhole says that a change is beyond a reload of single packages: load all.
var ErrWhole = errors.New("the whole closure must be listed")

// whole is ErrWhole with the file or package that makes it necessary.
func whole(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrWhole, fmt.Sprintf(format, args...))
}

// Reload returns the next snapshot after header changes in the named packages.
// Only they are listed, and the closure of imports that were unknown so far;
// packages that nothing imports any more leave. News tells which packages came
// in, with the archives that the go command compiled for them.
func (s *Snapshot) Reload(ctx context.Context, cfg LoadConfig, dirty []string) (next *Snapshot, news []string, err error) {
	var dirs []string
	for _, path := range dirty {
		p := s.Packages[path]
		switch {
		case p == nil || p.Fixed:
			return nil, nil, whole("%s is not of this program", path)
		case p.Unhandled != "":
			return nil, nil, whole("%s has %s", path, p.Unhandled)
		case p.ImportMap != nil:
			return nil, nil, whole("%s has imports that are spelled otherwise", path)
		}
		dirs = append(dirs, p.Dir)
	}
	listed, err := listPackages(ctx, cfg, cfg.Flags, findMode, dirs)
	if err != nil {
		return nil, nil, err
	}
	if len(listed) != len(dirty) {
		return nil, nil, whole("%s has other packages in its directory", strings.Join(dirty, ", "))
	}
	n := *s
	n.Packages = maps.Clone(s.Packages)
	unknown := map[string]bool{}
	for _, l := range listed {
		old := n.Packages[l.PkgPath]
		if len(l.Errors) > 0 || old == nil || !slices.Contains(dirty, l.PkgPath) || old.Name != l.Name {
			return nil, nil, whole("%s has another name, or an error", l.PkgPath)
		}
		p := packageOf(l, cfg.GOROOT)
		p.Local, p.Export, p.Lang = true, old.Export, old.Lang
		p.readFiles(cfg.Memo)
		if p.Unhandled != "" {
			return nil, nil, whole("%s has %s", p.Path, p.Unhandled)
		}
		if len(p.GoFiles) == 0 {
			return nil, nil, whole("%s has no Go file left", p.Path)
		}
		for _, path := range p.GoFiles {
			c := p.Files[path].Check
			if c == nil || c.Error != nil {
				return nil, nil, whole("%s does not parse", filepath.Base(path))
			}
			for _, imp := range c.Imports {
				p.Imports = append(p.Imports, imp.Path)
			}
		}
		slices.Sort(p.Imports)
		p.Imports = slices.Compact(p.Imports)
		for _, imp := range p.Imports {
			if !slices.Contains(old.Imports, imp) && needsJudge(imp, s.Packages[imp]) {
				return nil, nil, whole("%s imports %s, and only the go command can say whether it may", p.Path, imp)
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
		return nil, nil, whole("%s", otherModules(s.modules(), n.modules())) // the build info names them
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
		return nil, nil, whole("an import of %s leads back to it", strings.Join(dirty, ", "))
	}
	return &n, news, nil
}

// otherModules names a module that came or went between two versions of a program.
func otherModules(was, is map[string]string) string {
	for _, m := range slices.Sorted(maps.Keys(is)) {
		if was[m] != is[m] {
			return "module " + m + " comes in"
		}
	}
	for _, m := range slices.Sorted(maps.Keys(was)) {
		if _, ok := is[m]; !ok {
			return "module " + m + " leaves"
		}
	}
	return "the modules are others"
}

// needsJudge reports that only the go command can say whether the import is
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
			return whole("the import of %s has an error", path)
		}
	}
	for _, q := range fresh {
		above := !q.Fixed
		for _, imp := range q.Imports {
			p := n.Packages[imp]
			above = above || p != nil && p.Local
		}
		if q.Fixed && above {
			return whole("%s is of the module cache and imports the workspace", q.Path) // rare, and its order matters
		}
		if q.Local = above; above {
			q.readFiles(cfg.Memo)
			if !slices.Contains(n.Roots, moduleRoot(q.Dir)) {
				return whole("%s is of a module that was not part of the program", q.Path)
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
