package graph

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// findModules fills in the workspace's roots and the module files: what decides
// which code an import path names, outside of the packages themselves.
func (s *Snapshot) findModules(env, flags []string) {
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
	for _, f := range flags {
		if v, ok := strings.CutPrefix(strings.TrimLeft(f, "-"), "modfile="); ok {
			if !filepath.IsAbs(v) {
				v = filepath.Join(s.Dir, v)
			}
			note(v)
			note(strings.TrimSuffix(v, ".mod") + ".sum")
		}
	}
	switch work, ok := lookEnv(env, "GOWORK"); {
	case ok && work == "off":
	case ok && work != "":
		note(work)
		note(work + ".sum")
	default:
		for dir := s.Dir; ; dir = filepath.Dir(dir) {
			path := filepath.Join(dir, "go.work")
			note(path)
			if !absent[path] {
				note(path + ".sum")
				break
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	// A profile in the main package's directory would change every compile.
	if m := s.Packages[s.Target]; m != nil && m.Dir != "" {
		note(filepath.Join(m.Dir, "default.pgo"))
	}
	s.Roots = slices.Sorted(maps.Keys(roots))
	s.Absent = slices.Sorted(maps.Keys(absent))
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
	data, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return "", root
	}
	return modfile.ModulePath(data), root
}
