package graph

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hotreflex/hr/astcheck"
)

// Scan looks at every input and returns a Change for each that is not as the
// snapshot knows it, and each package that reads it, sorted by path. It is what makes a missed event harmless:
// stamps are compared, content is read where a stamp differs or is racy.
// Files with the same content are returned with verdict same, so that the next
// snapshot can take over their stamps.
func (s *Snapshot) Scan() []Change {
	paths := map[string]bool{}
	for path, f := range s.Inputs {
		if !f.Stamp.Same(StampOf(path)) {
			paths[path] = true
		}
	}
	for _, path := range s.Absent {
		if !StampOf(path).Gone {
			paths[path] = true
		}
	}
	var changes []Change
	for dir := range s.index.embeds {
		if spoilt(dir) != "" {
			changes = append(changes, s.judgeEmbedDir(dir)...)
		}
	}
	for _, p := range s.Packages {
		if !p.Local {
			continue
		}
		for path, f := range p.Files {
			if !f.Stamp.Same(StampOf(path)) {
				paths[path] = true
			}
		}
		for path, stamp := range p.Ignored {
			if now := StampOf(path); !now.Gone && !stamp.Same(now) {
				changes = append(changes, s.judgeStranger(path)...)
			}
		}
		for _, l := range p.Listings {
			if l.Stamp.Same(StampOf(l.Dir)) {
				continue
			}
			now := list(l.Dir, l.All)
			if now.Hash == l.Hash {
				continue
			}
			changes = append(changes, s.newNames(p, l)...)
		}
	}
	for path := range paths {
		changes = append(changes, s.judge(path)...)
	}
	changes = slices.DeleteFunc(changes, func(c Change) bool { return c.Verdict == astcheck.Unused })
	slices.SortFunc(changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Package, b.Package), int(b.Verdict)-int(a.Verdict))
	})
	return slices.CompactFunc(changes, func(a, b Change) bool { return a.Path == b.Path && a.Package == b.Package })
}

// newNames judges the names of a listing that are no inputs yet. Names that
// vanished were inputs and are found by their stamps, or did not matter.
func (s *Snapshot) newNames(p *Package, l *Listing) []Change {
	var out []Change
	for _, path := range namesIn(l.Dir, l.All) {
		if p.Files[path] != nil || slices.Contains(s.index.lists[path], p) {
			continue // of a directory its own listing tells
		}
		out = append(out, s.judgeStranger(path)...)
	}
	return out
}

// WithFiles returns the snapshot with the states of the given changes taken
// over. All changes must be same or body: others need a reload.
func (s *Snapshot) WithFiles(changes []Change) *Snapshot {
	touched := false
	next := *s
	for _, c := range changes {
		if c.File == nil {
			continue
		}
		if !touched {
			touched = true
			next.Packages = maps.Clone(s.Packages)
			next.Inputs = maps.Clone(s.Inputs)
		}
		if c.File.Kind == Module {
			next.Inputs[c.Path] = c.File
			continue
		}
		old := next.Packages[c.Package]
		if old == nil || old.Files[c.Path] == nil {
			continue
		}
		p := *old
		p.Files = maps.Clone(p.Files)
		p.Files[c.Path] = c.File
		next.Packages[p.Path] = &p
	}
	if !touched {
		return s
	}
	return next.Seal()
}

// Above returns the Local packages that import path, directly or not, imports
// first.
func (s *Snapshot) Above(path string) []string {
	return s.reach(map[string]bool{path: true}, path)
}

// Affected returns the rebuild set of the changes: the packages of the changed
// files and all Local packages above them, imports first. A lower bound: what
// must be compiled if no cutoff stops earlier.
func (s *Snapshot) Affected(changes []Change) []string {
	dirty := map[string]bool{}
	for _, c := range changes {
		if c.Package != "" && c.Verdict > astcheck.Same {
			dirty[c.Package] = true
		}
	}
	return s.reach(dirty, "")
}

// reach returns, imports first, the packages of dirty and all above them, but
// for one.
func (s *Snapshot) reach(dirty map[string]bool, but string) []string {
	var set []string
	for _, path := range s.index.order {
		hit := dirty[path]
		for _, imp := range s.Packages[path].Imports {
			hit = hit || dirty[imp]
		}
		if hit {
			dirty[path] = true
			if path != but {
				set = append(set, path)
			}
		}
	}
	return set
}

// State names the inputs as they are now, by their stamps alone: equal states
// mean that nothing was saved in between.
func (s *Snapshot) State() string {
	var b strings.Builder
	note := func(path string) {
		st := StampOf(path)
		fmt.Fprintf(&b, "%s %d %d %d %d\n", path, st.Inode, st.Size, st.Mtime, st.Ctime)
	}
	for _, path := range slices.Sorted(maps.Keys(s.Inputs)) {
		note(path)
	}
	for _, path := range s.Absent {
		note(path)
	}
	for _, path := range s.index.order {
		p := s.Packages[path]
		for _, f := range slices.Sorted(maps.Keys(p.Files)) {
			note(f)
		}
		for _, f := range slices.Sorted(maps.Keys(p.Ignored)) {
			note(f)
		}
		for _, l := range p.Listings {
			note(l.Dir)
		}
	}
	return HashOf([]byte(b.String()))
}
