package hr_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/hotreflex/hr"

// below says which packages of ours each package may import: the arrows of
// ARCHITECTURE.md. They point down only.
var below = map[string][]string{
	"tags":                nil,
	"astcheck":            nil,
	"cache":               {"internal/place"},
	"internal/place":      nil,
	"internal/exact":      nil,
	"internal/churn":      nil,
	"internal/watch":      nil,
	"internal/printable":  nil,
	"internal/reflex":     {"internal/printable"},
	"internal/supervisor": nil,
	"internal/paths":      nil,
	"internal/triggers":   {"internal/paths", "internal/protocol", "internal/watch"},
	"internal/graph":      {"astcheck", "internal/exact", "tags"},
	"internal/link":       {"internal/place", "internal/testdir"}, // and what lies in it; linktest is for tests only
	"internal/engine":     {"astcheck", "cache", "internal/exact", "internal/graph", "internal/link", "internal/order", "internal/place", "tags"},
	"internal/protocol":   {"internal/exact", "internal/graph", "internal/order", "internal/place"},
	"internal/event":      {"astcheck", "internal/order", "internal/protocol", "internal/supervisor"},
	"internal/order":      {"astcheck", "internal/graph", "internal/place"},
	"internal/front":      {"astcheck", "internal/event", "internal/graph", "internal/order", "internal/protocol"},
	"internal/screen":     {"internal/event", "internal/printable"},
	"daemon":              {"cache", "internal/engine", "internal/exact", "internal/graph", "internal/link", "internal/order", "internal/place", "internal/printable", "internal/protocol", "tags"},
	"cmd/hr":              {"astcheck", "internal/churn", "internal/event", "internal/exact", "internal/graph", "internal/order", "internal/paths", "internal/printable", "internal/protocol", "internal/reflex", "internal/screen", "internal/supervisor", "internal/triggers", "internal/watch", "tags"},
	"cmd/hrd":             {"daemon", "internal/engine", "internal/printable", "internal/protocol", "tags"},
	"benchmarks":          nil,
	"internal/testdir":    nil, // for tests only
}

// TestArrows compares the imports of every package, tests aside, with the
// picture, and wants a package comment of each.
func TestArrows(t *testing.T) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Doc", "./...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	dec := json.NewDecoder(bytes.NewReader(out))
	for {
		var p struct {
			ImportPath, Doc string
			Imports         []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if p.ImportPath == module {
			continue
		}
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		if p.Doc == "" {
			t.Errorf("%s has no package comment", name)
		}
		room := roomOf(name)
		allowed, known := below[room]
		if !known {
			t.Errorf("%s is not in the picture: add it there, with its one job, or give its code to another package", name)
			continue
		}
		for _, imp := range p.Imports {
			target, ours := strings.CutPrefix(imp, module+"/")
			if ours && roomOf(target) != room && !slices.Contains(allowed, roomOf(target)) {
				t.Errorf("%s imports %s: that arrow is not in the picture", name, target)
			}
		}
	}
}

// roomOf maps a package to the room it lies in: parts of a package may have
// packages of their own below it.
func roomOf(name string) string {
	for room := range below {
		if name == room || strings.HasPrefix(name, room+"/") {
			return room
		}
	}
	return name
}

// TestPure wants no concurrency in the packages that make test tests without the
// race detector.
func TestPure(t *testing.T) {
	text, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "\nPURE := ")
	line, _, _ := strings.Cut(rest, "\n")
	if !ok || len(strings.Fields(line)) == 0 {
		t.Fatal("the Makefile names no pure packages")
	}
	for dir := range strings.FieldsSeq(line) {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Errorf("%s: no Go files (%v)", dir, err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.GoStmt, *ast.ChanType:
					t.Errorf("%s: a goroutine or a channel in a pure package", fset.Position(n.Pos()))
				case *ast.ImportSpec:
					if path := n.Path.Value; path == `"sync"` || path == `"sync/atomic"` {
						t.Errorf("%s: a pure package imports %s", fset.Position(n.Pos()), path)
					}
				}
				return true
			})
		}
	}
}
