package graph

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Reach is where changes of a snapshot's inputs can be seen. The go command
// reads through links, and a watcher does not: what a link leads to changes
// under its own name. A Reach is as old as the links that it followed.
type Reach struct {
	// Dirs are the directories in which a change can matter, under the names that
	// no link is part of.
	Dirs []string

	links map[string]bool     // links on the way to an input
	files map[string][]string // what a link leads to -> the inputs read through it
	dirs  map[string][]string // directory -> its names in the snapshot, if others
	named map[string]bool     // embedded files, and inputs outside of packages, there or awaited
	only  map[string]bool     // directories that are watched for what lies there by name
}

// linkLimit ends the following of links that lead to each other: as many as the
// kernel follows (path_resolution(7)).
const linkLimit = 40

// Reach follows all links on the way to the inputs. The trees are watched under
// the names that they have here, even if these lead through links.
func (s *Snapshot) Reach(trees []string) *Reach {
	r := &Reach{links: map[string]bool{}, files: map[string][]string{}, dirs: map[string][]string{}, named: map[string]bool{}, only: map[string]bool{}}
	f := newFollower(trees)
	set := map[string]bool{}
	note := func(path string) (real string) {
		real, links := f.follow(path)
		for _, l := range links {
			r.links[l] = true
			set[filepath.Dir(l)] = true
		}
		return real
	}
	for _, d := range s.WatchDirs() {
		real := note(d)
		set[real] = true
		if real != d {
			r.dirs[real] = append(r.dirs[real], d)
		}
	}
	file := func(path string) {
		if !f.isLink(path) {
			return
		}
		real := note(path)
		set[filepath.Dir(real)] = true
		r.files[real] = append(r.files[real], path)
	}
	for _, p := range s.Packages {
		if p.Local && !p.Fixed {
			for path, in := range p.Files {
				file(path)
				if in.IsEmbedded() {
					r.named[path] = true // it may look like an editor's temporary file
				}
			}
		}
	}
	for path := range s.Inputs {
		r.named[path] = true
		file(path)
	}
	for _, path := range s.Absent {
		r.named[path] = true
		file(path) // a link to nothing, until there is something
		if dir := filepath.Dir(path); !isDir(dir) {
			r.named[dir] = true
		}
	}
	own := map[string]bool{}
	for _, p := range s.Packages {
		if p.Local && !p.Fixed {
			own[p.Dir] = true
			for _, l := range p.Listings {
				own[l.Dir] = true
			}
		}
	}
	for dir := range set {
		r.only[dir] = !own[dir]
	}
	r.Dirs = slices.Sorted(maps.Keys(set))
	return r
}

// Inputs returns the paths under which the snapshot knows what changed at path.
// All tells that a link is there, or a directory that leads to inputs: then any
// input may be another file now.
func (r *Reach) Inputs(path string) (paths []string, all bool) {
	if r.links[path] {
		return nil, true
	}
	paths = slices.Clone(r.files[path])
	for _, dir := range r.dirs[filepath.Dir(path)] {
		paths = append(paths, filepath.Join(dir, filepath.Base(path)))
	}
	below := func(other string) bool { return under(other, path) }
	for file := range r.files {
		all = all || file != path && below(file)
	}
	for dir := range r.dirs {
		all = all || below(dir)
	}
	for link := range r.links {
		all = all || below(link)
	}
	return paths, all
}

// Wants tells that a change at path can matter although it lies in none of the
// trees: it is a link, or read through one, or an input with a place of its own.
func (r *Reach) Wants(path string) bool {
	return r.named[path] || r.links[path] || r.files[path] != nil || r.dirs[path] != nil || r.dirs[filepath.Dir(path)] != nil
}

// Beside tells that the directory of path is watched only for others in it.
func (r *Reach) Beside(path string) bool { return r.only[filepath.Dir(path)] }

// follower finds where paths lead, each link looked at once.
type follower struct {
	trees map[string]string // where a tree lies -> its name
	known map[string]string // link -> where it leads, "" for what is none
}

func newFollower(trees []string) *follower {
	f := &follower{trees: map[string]string{}, known: map[string]string{}}
	for _, t := range trees {
		if real, err := filepath.EvalSymlinks(t); err == nil && real != t {
			f.trees[real] = t
		}
	}
	return f
}

// isLink tells that the last element of path is a link.
func (f *follower) isLink(path string) bool { return f.target(path) != "" }

func (f *follower) target(path string) string {
	to, ok := f.known[path]
	if ok {
		return to
	}
	if fi, err := os.Lstat(path); err == nil && fi.Mode()&fs.ModeSymlink != 0 {
		to, _ = os.Readlink(path)
		if to != "" && !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
	}
	f.known[path] = to
	return to
}

// follow returns the path without links, also of a file that is not there, and
// the links on the way. Of the name of a tree no link is resolved: it is watched
// under that name. A link above it is told of all the same.
func (f *follower) follow(path string) (real string, links []string) {
	rest := strings.Split(strings.Trim(filepath.ToSlash(path[len(filepath.VolumeName(path)):]), "/"), "/")
	real = filepath.VolumeName(path) + string(filepath.Separator)
	for len(rest) > 0 {
		elem := rest[0]
		rest = rest[1:]
		next := filepath.Join(real, elem)
		to := f.target(next)
		if to == "" {
			real = next
			continue
		}
		links = append(links, f.home(next))
		if len(links) > linkLimit {
			return f.home(next), links
		}
		// Relative to the directory that next lies in, which has no link in it.
		vol := len(filepath.VolumeName(to))
		rest = append(strings.Split(strings.Trim(filepath.ToSlash(filepath.Clean(to)[vol:]), "/"), "/"), rest...)
		real = to[:vol] + string(filepath.Separator)
	}
	return f.home(real), links
}

// home returns the name of a place under the tree that it lies in.
func (f *follower) home(path string) string {
	for real, tree := range f.trees {
		if under(path, real) {
			return filepath.Join(tree, path[len(real):])
		}
	}
	return path
}
