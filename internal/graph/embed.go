package graph

import (
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hotreflex/hr/astcheck"
)

// How the go command reads embed patterns (cmd/go/internal/load/pkg.go,
// resolveEmbed): each is a path.Match pattern of the whole path below the
// package's directory. A file that matches is embedded whatever its name is; of a
// directory that matches all is embedded but names that begin with . or _, and
// these as well if the pattern begins with all:.

// splitPattern returns the elements of an embed pattern.
func splitPattern(pat string) (elems []string, all bool) {
	pat, all = strings.CutPrefix(pat, "all:")
	return strings.Split(path.Clean(pat), "/"), all
}

// hidden tells that a pattern's directory does not bring a file of that name.
func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

// embeds tells whether a new file or directory at file can change what the embed
// patterns of the package match.
func (p *Package) embeds(file string) bool {
	rel, err := filepath.Rel(p.Dir, file)
	if err != nil || !filepath.IsLocal(rel) {
		return false
	}
	names := strings.Split(filepath.ToSlash(rel), "/")
	for _, pat := range p.EmbedPatterns {
		elems, all := splitPattern(pat)
		n := min(len(elems), len(names))
		if elems[0] == "." { // the package's own directory
			n = 0
			elems = nil
		}
		matched := true
		for i := range n {
			ok, err := path.Match(elems[i], names[i])
			matched = matched && ok && err == nil
		}
		switch {
		case !matched:
		case len(names) < len(elems):
			if isDir(file) {
				return true // what it holds may match
			}
		case len(names) == n:
			return true // also what is no file: the go command refuses it
		case (all || !slices.ContainsFunc(names[n:], hidden)) && p.inTree(names, n):
			return true
		}
	}
	return false
}

// inTree tells that a pattern that matched the first n names, a directory, brings
// the file below it: the go command leaves out other modules and what is no file.
func (p *Package) inTree(names []string, n int) bool {
	path := filepath.Join(p.Dir, filepath.Join(names[:n]...))
	for _, name := range names[n:] {
		path = filepath.Join(path, name)
		if kindOf(path) != "" || !StampOf(filepath.Join(path, "go.mod")).Gone {
			return false
		}
	}
	return true
}

// embedParents returns the directories between the package's own and the files
// that it embeds.
func (p *Package) embedParents() []string {
	if len(p.EmbedPatterns) == 0 {
		return nil
	}
	set := map[string]bool{}
	for file, f := range p.Files {
		if !f.IsEmbedded() {
			continue
		}
		for dir := filepath.Dir(file); dir != p.Dir && under(dir, p.Dir) && !set[dir]; dir = filepath.Dir(dir) {
			set[dir] = true
		}
	}
	return slices.Collect(maps.Keys(set))
}

// spoilt tells why nothing can be embedded that lies in the directory; empty if
// it can. One that is gone is told of by its files.
func spoilt(dir string) string {
	if kind := kindOf(dir); kind != "" {
		return filepath.Base(dir) + " is " + kind + ", and nothing is embedded through one"
	}
	if !StampOf(filepath.Join(dir, "go.mod")).Gone {
		return "a go.mod makes another module of " + filepath.Base(dir)
	}
	return ""
}

// judgeEmbedDir judges a directory, or the go.mod in one, for the packages that
// embed what lies below.
func (s *Snapshot) judgeEmbedDir(path string) []Change {
	dir := path
	if filepath.Base(path) == "go.mod" {
		dir = filepath.Dir(path)
		if StampOf(path).Gone {
			return s.leftModule(path, dir)
		}
	}
	why := ""
	if s.index.embeds[dir] != nil {
		why = spoilt(dir)
	}
	if why == "" {
		return nil
	}
	var changes []Change
	for _, p := range s.index.embeds[dir] {
		changes = append(changes, Change{Path: path, Verdict: astcheck.Header, Package: p.Path, Why: why})
	}
	return changes
}

// leftModule judges a go.mod that is gone: what it kept from being embedded may
// be embedded now.
func (s *Snapshot) leftModule(path, dir string) []Change {
	var changes []Change
	for _, p := range s.index.lists[dir] {
		if p.Dir != dir && !slices.Contains(s.index.embeds[dir], p) {
			changes = append(changes, Change{Path: path, Verdict: astcheck.Header, Package: p.Path, Why: filepath.Base(dir) + " is no other module any more"})
		}
	}
	return changes
}

// embedDirs returns the directories whose names decide what the embed patterns
// match: where a pattern has a wildcard or finds nothing, and all below a
// directory that matches.
func embedDirs(p *Package) []string {
	set := map[string]bool{}
	for _, pat := range p.EmbedPatterns {
		elems, all := splitPattern(pat)
		found := []string{p.Dir}
		for _, elem := range elems {
			var next []string
			for _, dir := range found {
				entries, err := os.ReadDir(dir)
				if err != nil {
					continue // a file, or gone: the listing above tells
				}
				some := elem == "."
				if some {
					next = append(next, dir)
				}
				for _, e := range entries {
					if ok, err := path.Match(elem, e.Name()); ok && err == nil {
						next, some = append(next, filepath.Join(dir, e.Name())), true
					}
				}
				if !some || strings.ContainsAny(elem, `*?[`) {
					set[dir] = true
				}
			}
			found = next
		}
		for _, dir := range found {
			filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
				switch {
				case err != nil || !e.IsDir():
					return nil
				case path != dir && !all && hidden(e.Name()):
					return filepath.SkipDir
				}
				set[path] = true
				return nil
			})
		}
	}
	return slices.Sorted(maps.Keys(set))
}
