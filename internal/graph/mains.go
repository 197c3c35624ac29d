package graph

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hotreflex/hr/astcheck"
	"github.com/hotreflex/hr/tags"
)

// IsMain tells whether the files of dir that belong to the context are a main
// package. It reads package clauses only, no go command runs.
func IsMain(dir string, c tags.Context) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || filepath.Ext(name) != ".go" || !tags.Source(name) {
			continue
		}
		path := filepath.Join(dir, name)
		data, _, err := readHead(path)
		if err != nil {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, data, parser.PackageClauseOnly)
		if err != nil || f.Name.Name != "main" {
			continue
		}
		check := astcheck.Check(path, data)
		if c.File(name, check.Constraint, check.Cgo != "").In {
			return true
		}
	}
	return false
}

// Mains returns the directories of the main packages of the module at root in
// the context, sorted. Other modules below it, vendor, testdata and names
// starting with a dot or an underscore are left out, as in the pattern "./...".
func Mains(root string, c tags.Context) []string {
	var dirs []string
	filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil
		}
		if path != root {
			name := d.Name()
			if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "vendor" || name == "node_modules" {
				return filepath.SkipDir
			}
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
				return filepath.SkipDir
			}
		}
		if IsMain(path, c) {
			dirs = append(dirs, path)
		}
		return nil
	})
	slices.Sort(dirs)
	return dirs
}
