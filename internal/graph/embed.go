package graph

import (
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
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
		case all || !slices.ContainsFunc(names[n:], hidden):
			return true
		}
	}
	return false
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
