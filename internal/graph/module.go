package graph

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// findModules fills in the workspace's roots and the module files: what decides
// which code an import path names, outside of the packages themselves. Files that
// a flag or the environment names belong to them.
func (s *Snapshot) findModules(work string, flags, settings []string) {
	s.Inputs = map[string]*File{}
	absent := map[string]bool{}
	note := func(path string) {
		f := readInput(path, Module, nil)
		if f.Stamp.Gone {
			absent[path] = true
			return
		}
		s.Inputs[path] = f
	}
	roots := map[string]bool{}
	for _, p := range s.Packages {
		if p.Fixed || p.Dir == "" {
			continue
		}
		if root := moduleRoot(p.Dir); root != "" {
			roots[root] = true
		}
	}
	if root := moduleRoot(s.Dir); root != "" {
		roots[root] = true
	}
	for root := range roots {
		note(filepath.Join(root, "go.mod"))
		note(filepath.Join(root, "go.sum"))
		note(filepath.Join(root, "vendor", "modules.txt"))
	}
	named, profile := s.namedFiles(flags)
	for _, file := range append(named, settings...) {
		note(file)
	}
	if work != "off" {
		for dir := s.Dir; ; dir = filepath.Dir(dir) {
			path := filepath.Join(dir, "go.work")
			if note(path); path == work || dir == filepath.Dir(dir) {
				break
			}
		}
		if work != "" {
			note(work)
			note(work + ".sum")
			// go work vendor puts it beside go.work, for all modules of it.
			note(filepath.Join(filepath.Dir(work), "vendor", "modules.txt"))
		}
	}
	// A profile in the main package's directory would change every compile.
	if m := s.Packages[s.Target]; m != nil && m.Dir != "" && profile {
		note(filepath.Join(m.Dir, "default.pgo"))
	}
	for _, path := range s.fences(roots) {
		absent[path] = true
	}
	s.Roots = slices.Sorted(maps.Keys(roots))
	s.Absent = slices.Sorted(maps.Keys(absent))
}

// namedFiles returns the files that flags name, and whether the go command looks
// for a default.pgo.
func (s *Snapshot) namedFiles(flags []string) (files []string, profile bool) {
	profile = true
	for _, f := range flags {
		name, value, ok := strings.Cut(strings.TrimLeft(f, "-"), "=")
		if !ok || value == "" {
			continue
		}
		v := absolute(s.Dir, value)
		switch name {
		case "modfile":
			files = append(files, v, strings.TrimSuffix(v, ".mod")+".sum")
		case "overlay":
			files = append(files, v)
			for _, file := range overlaid(v) {
				files = append(files, absolute(s.Dir, file))
			}
		case "toolexec":
			// The first word is a program; one without a slash is found by PATH.
			if word, _, _ := strings.Cut(strings.Trim(value, `"'`), " "); strings.ContainsRune(word, filepath.Separator) {
				files = append(files, absolute(s.Dir, word))
			}
		case "pgo":
			switch value {
			case "off":
				profile = false
			case "auto":
				profile = true
			default:
				profile = false
				files = append(files, v)
			}
		}
	}
	return files, profile
}

// fences returns the go.mod files that are not there between the workspace's
// packages and the roots of their modules: one that appears makes another module
// of what lies beside and below it.
func (s *Snapshot) fences(roots map[string]bool) []string {
	set := map[string]bool{}
	for _, p := range s.Packages {
		if p.Fixed || p.Dir == "" {
			continue
		}
		var way []string
		dir := p.Dir
		for ; !roots[dir] && filepath.Base(dir) != "vendor" && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			way = append(way, filepath.Join(dir, "go.mod"))
		}
		if !roots[dir] {
			continue // in a vendor directory a go.mod means nothing
		}
		for _, path := range way {
			set[path] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// absolute returns the path that a word of a command line names.
func absolute(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// HasProfile tells that the go command compiles all packages by the default.pgo
// of the main package.
func (s *Snapshot) HasProfile() bool {
	m := s.Packages[s.Target]
	return m != nil && s.Inputs[filepath.Join(m.Dir, "default.pgo")] != nil
}

// moduleRoot returns the nearest directory at or above dir with a go.mod, ""
// if there is none. A vendored package belongs to the module that vendors it.
func moduleRoot(dir string) string {
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// ModulePath returns the module path that dir's go.mod declares and the
// module's root, "" if dir is in no module or its go.mod cannot be read.
func ModulePath(dir string) (path, root string) {
	root = moduleRoot(dir)
	if root == "" {
		return "", ""
	}
	data, err := ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return "", root
	}
	return modfile.ModulePath(data), root
}

// overlaid returns the files that an overlay puts in place of others
// (go help build, -overlay).
func overlaid(path string) []string {
	data, err := ReadFile(path)
	if err != nil {
		return nil
	}
	var overlay struct{ Replace map[string]string }
	if json.Unmarshal(data, &overlay) != nil {
		return nil // the go command will say so
	}
	var files []string
	for _, file := range overlay.Replace {
		if file != "" {
			files = append(files, file)
		}
	}
	return files
}
