package graph

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/tools/go/packages"
)

// A file name is any bytes, but go list speaks JSON: in its answers U+FFFD
// stands for each byte of a name that is no text (encoding/json). What the file
// is really called, its directory tells.

// speller finds the names that go list could not spell. It is of one load.
type speller struct {
	hint  []string            // elements of a directory whose spelling is known
	known map[string][]string // what was found, by what go list says
}

func newSpeller(dir string) *speller {
	return &speller{hint: strings.Split(dir, string(filepath.Separator)), known: map[string][]string{}}
}

// shown returns a name as go list shows it.
func shown(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	var b strings.Builder
	for _, r := range name { // utf8.RuneError for each byte that is none
		b.WriteRune(r)
	}
	return b.String()
}

// all returns every path that go list can mean, sorted: one, unless names in a
// directory differ in nothing that it shows. What is not there is returned as
// go list says it.
func (s *speller) all(path string) []string {
	if !strings.ContainsRune(path, utf8.RuneError) {
		return []string{path}
	}
	if found, ok := s.known[path]; ok {
		return found
	}
	dir, name := filepath.Split(path)
	dir = strings.TrimSuffix(dir, string(filepath.Separator))
	if dir == path || name == "" {
		return []string{path}
	}
	var found []string
	for _, real := range s.all(dir) {
		if !strings.ContainsRune(name, utf8.RuneError) {
			found = append(found, real+string(filepath.Separator)+name)
			continue
		}
		entries, err := os.ReadDir(real + string(filepath.Separator))
		if err != nil {
			continue
		}
		for _, e := range entries {
			if shown(e.Name()) == name {
				found = append(found, filepath.Join(real, e.Name()))
			}
		}
	}
	found = s.likely(found)
	if len(found) == 0 {
		found = []string{path}
	}
	s.known[path] = found
	return found
}

// likely keeps the one path of several that the known directory lies at or below.
func (s *speller) likely(paths []string) []string {
	if len(paths) < 2 {
		return paths
	}
	hint := strings.Join(s.hint, string(filepath.Separator))
	for _, p := range paths {
		if under(hint, p) {
			return []string{p}
		}
	}
	slices.Sort(paths)
	return paths
}

// one returns the path of a directory or an archive, of which there must be no
// two that go list shows alike.
func (s *speller) one(path string) (string, error) {
	all := s.all(path)
	if len(all) > 1 {
		return path, fmt.Errorf("%w: %q and %q look alike to the go command", ErrList, all[0], all[1])
	}
	return all[0], nil
}

// files returns the paths of listed files. The go command refuses a package of
// which two files look alike to it (load.go, "case-insensitive file name
// collision"), so only something else can have the name of one.
func (s *speller) files(listed []string) []string {
	var paths []string
	for _, f := range listed {
		all := s.all(f)
		if len(all) > 1 {
			all = slices.DeleteFunc(slices.Clone(all), isDir)
		}
		paths = append(paths, all...)
	}
	return paths
}

// spell gives listed packages the paths that go list meant. dir is where it ran.
func spell(dir string, pkgs []*packages.Package) error {
	s := newSpeller(dir)
	var bad error
	one := func(path *string) {
		if strings.ContainsRune(*path, utf8.RuneError) {
			var err error
			*path, err = s.one(*path)
			bad = errors.Join(bad, err)
		}
	}
	packages.Visit(pkgs, nil, func(p *packages.Package) {
		said := p.Dir
		one(&p.Dir)
		for i, pattern := range p.EmbedPatterns {
			if rest, ok := strings.CutPrefix(pattern, said); ok {
				p.EmbedPatterns[i] = p.Dir + rest
			}
		}
		for _, list := range []*[]string{&p.GoFiles, &p.OtherFiles, &p.EmbedFiles} {
			if slices.ContainsFunc(*list, func(f string) bool { return strings.ContainsRune(f, utf8.RuneError) }) {
				*list = s.files(*list)
			}
		}
		one(&p.ExportFile)
		if p.Module != nil {
			one(&p.Module.Dir)
		}
	})
	return bad
}
