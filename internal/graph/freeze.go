package graph

import (
	"maps"
	"slices"
	"time"

	"github.com/hotreflex/hr/astcheck"
)

// This file deals with files that are written while a program is built of them.

// Freeze reads files of the packages once, those that moves tells of, and gives
// what it read to keep. The next snapshot and the changes speak of these very
// bytes. It is not done if one of them means more than a new body, or cannot be
// read: then the packages must be looked at anew.
func (s *Snapshot) Freeze(pkgs []string, moves func(*File) bool, keep func(path string, data []byte) error) (next *Snapshot, changes []Change, done bool, err error) {
	for _, name := range pkgs {
		p := s.Packages[name]
		for _, path := range slices.Sorted(maps.Keys(p.Files)) {
			f := p.Files[path]
			if !moves(f) {
				continue
			}
			data, stamp, err := readFile(path)
			if err != nil {
				return nil, nil, false, nil
			}
			stamp.Racy = true // it was not seen to stand still
			c := p.judgeData(f, data, stamp)
			if c.Verdict > astcheck.Body || c.File == nil {
				return nil, nil, false, nil
			}
			if err := keep(path, data); err != nil {
				return nil, nil, false, err
			}
			changes = append(changes, c)
		}
	}
	return s.WithFiles(changes), changes, true, nil
}

// MovedFiles returns the files of the package that are not as p knows them, but
// for those that the build has copies of.
func (p *Package) MovedFiles(copies map[string]string) []string {
	var moved []string
	for path, f := range p.Files {
		if copies[path] == "" && !f.Unmoved() {
			moved = append(moved, path)
		}
	}
	slices.Sort(moved)
	return moved
}

// Unmoved tells that all files of the package still are as p knows them.
func (p *Package) Unmoved() bool { return len(p.MovedFiles(nil)) == 0 }

// SourceMoved tells that a Go file of the package may have changed since begin, as
// Moved does of all files.
func (p *Package) SourceMoved(before map[string]Stamp, begin time.Time) bool {
	for path, f := range p.Files {
		if f.Kind == Go && movedSince(before, path, f.Stamp, f.Stamp, begin) {
			return true
		}
	}
	return false
}

// Doubt returns the snapshot without the content of the files of the packages
// that doubtful tells of: what the program was made of is not known. The next look
// finds them changed.
func (s *Snapshot) Doubt(doubtful func(*Package, *File) bool) *Snapshot {
	next := *s
	next.Packages = maps.Clone(s.Packages)
	for name, p := range s.Packages {
		if !p.Local {
			continue
		}
		var files map[string]*File
		for path, f := range p.Files {
			if !doubtful(p, f) {
				continue
			}
			if files == nil {
				files = maps.Clone(p.Files)
			}
			g := *f
			g.Hash, g.Check, g.Stamp.Racy = "", nil, true // of source without a precheck all is new
			files[path] = &g
		}
		if files != nil {
			q := *p
			q.Files = files
			next.Packages[name] = &q
		}
	}
	return next.Seal()
}

// DoubtMoved is Doubt of the files that may have changed since begin, and names
// them.
func (s *Snapshot) DoubtMoved(before map[string]Stamp, begin time.Time) (next *Snapshot, moved []string) {
	next = s.Doubt(func(_ *Package, f *File) bool {
		hit := movedSince(before, f.Path, f.Stamp, f.Stamp, begin)
		if hit {
			moved = append(moved, f.Path)
		}
		return hit
	})
	slices.Sort(moved)
	return next, slices.Compact(moved)
}
