package graph

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/hotreflex/hr/astcheck"
	"github.com/hotreflex/hr/tags"
)

const source = `
-- go.mod --
module example.com/m

go 1.24
-- cmd/app/main.go --
package main

import (
	"example.com/m/mid"
	"example.com/m/page"
)

func main() { println(mid.Mid(), page.Text) }
-- mid/mid.go --
package mid

import "example.com/m/leaf"

func Mid() string { return leaf.Leaf() }
-- leaf/leaf.go --
package leaf

// Leaf is a leaf.
func Leaf() string { return "leaf" }
-- leaf/leaf_dev.go --
//go:build dev

package leaf

const Mode = "dev"
-- leaf/leaf_prod.go --
//go:build !dev

package leaf

const Mode = "prod"
-- leaf/leaf_windows.go --
package leaf
-- leaf/leaf_test.go --
package leaf
-- page/page.go --
package page

import "embed"

//go:embed files/*.txt
var FS embed.FS

var Text = "page"
-- page/files/a.txt --
a
-- other/other.go --
package other
`

// world is a module on disk and its snapshot.
type world struct {
	dir string
	cfg LoadConfig
	s   *Snapshot
}

func load(t *testing.T) *world {
	t.Helper()
	// The go command resolves links in its directory, so a temporary directory
	// behind one would give other paths.
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	fsys, err := txtar.FS(txtar.Parse([]byte(source)))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, fsys); err != nil {
		t.Fatal(err)
	}
	w := &world{dir: dir, cfg: LoadConfig{
		Dir:      dir,
		Env:      append(os.Environ(), "GOFLAGS=", "GOWORK=", "GOENV=off", "GOTOOLCHAIN=local", "PWD="+dir),
		Flags:    []string{"-tags=dev"},
		Patterns: []string{"./cmd/app"},
		Implicit: []string{"runtime"},
		Context:  tags.Context{GOOS: runtime.GOOS, GOARCH: runtime.GOARCH, Tags: []string{"dev"}, GoVersion: runtime.Version()},
		GOROOT:   goroot(t),
	}}
	w.s, err = Load(context.Background(), w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func goroot(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func (w *world) path(name string) string { return filepath.Join(w.dir, filepath.FromSlash(name)) }

func (w *world) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(w.path(name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.path(name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (w *world) replace(t *testing.T, name, old, text string) {
	t.Helper()
	data, err := os.ReadFile(w.path(name))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), old) {
		t.Fatalf("%s does not contain %q", name, old)
	}
	w.write(t, name, strings.ReplaceAll(string(data), old, text))
}

func TestLoad(t *testing.T) {
	w := load(t)
	if got, want := w.s.Target, "example.com/m/cmd/app"; got != want {
		t.Errorf("target %s, want %s", got, want)
	}
	want := []string{"example.com/m/leaf", "example.com/m/mid", "example.com/m/page", "example.com/m/cmd/app"}
	got := slices.Clone(w.s.Order())
	if at := func(p string) int { return slices.Index(got, p) }; at(want[0]) > at(want[1]) || at(want[1]) > at(want[3]) || at(want[2]) > at(want[3]) {
		t.Errorf("order %v does not put imports first", got)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("local packages %v, want %v", got, want)
	}
	if w.s.Packages["runtime"] == nil || w.s.Packages["runtime"].Export == "" {
		t.Error("runtime has no archive")
	}
	if len(w.s.Scan()) > 0 && slices.ContainsFunc(w.s.Scan(), func(c Change) bool { return !c.Touched() }) {
		t.Errorf("a fresh snapshot has changes: %+v", w.s.Scan())
	}
}

func TestJudge(t *testing.T) {
	const (
		unused = astcheck.Unused
		same   = astcheck.Same
		body   = astcheck.Body
		header = astcheck.Header
		broken = astcheck.Broken
	)
	for _, c := range []struct {
		name    string
		file    string
		edit    func(t *testing.T, w *world)
		verdict astcheck.Verdict
		why     string // part of it
		pkg     string
		reload  bool
	}{
		{"touch", "leaf/leaf.go", func(t *testing.T, w *world) { w.replace(t, "leaf/leaf.go", "leaf", "leaf") }, same, "same content", "leaf", false},
		{"comment", "leaf/leaf.go", func(t *testing.T, w *world) { w.replace(t, "leaf/leaf.go", "is a leaf", "is the leaf") }, same, "comments", "leaf", false},
		{"body", "leaf/leaf.go", func(t *testing.T, w *world) { w.replace(t, "leaf/leaf.go", `"leaf"`, `"tree"`) }, body, "func Leaf", "leaf", false},
		{"import", "leaf/leaf.go", func(t *testing.T, w *world) {
			w.write(t, "leaf/leaf.go", "package leaf\n\nimport \"strings\"\n\nfunc Leaf() string { return strings.ToUpper(\"leaf\") }\n")
		}, header, "strings", "leaf", false},
		{"syntax", "leaf/leaf.go", func(t *testing.T, w *world) { w.replace(t, "leaf/leaf.go", "func Leaf", "func Leaf(") }, broken, "", "leaf", false},
		{"removed", "leaf/leaf.go", func(t *testing.T, w *world) { os.Remove(w.path("leaf/leaf.go")) }, header, "removed", "leaf", false},
		{"excluded by tag", "leaf/leaf_prod.go", func(t *testing.T, w *world) { w.replace(t, "leaf/leaf_prod.go", "prod", "x") }, unused, "!dev", "", false},
		{"excluded enters", "leaf/leaf_prod.go", func(t *testing.T, w *world) { w.replace(t, "leaf/leaf_prod.go", "!dev", "dev") }, header, "new file", "leaf", false},
		{"included leaves", "leaf/leaf_dev.go", func(t *testing.T, w *world) {
			w.replace(t, "leaf/leaf_dev.go", "//go:build dev", "//go:build never")
		}, header, "constraint", "leaf", false},
		{"file name", "leaf/leaf_plan9.go", func(t *testing.T, w *world) { w.write(t, "leaf/leaf_plan9.go", "package leaf\n") }, unused, "plan9", "", false},
		{"test file", "leaf/leaf_test.go", func(t *testing.T, w *world) { w.write(t, "leaf/leaf_test.go", "package leaf\n\nvar x int\n") }, unused, "test", "", false},
		{"new file", "leaf/more.go", func(t *testing.T, w *world) { w.write(t, "leaf/more.go", "package leaf\n") }, header, "new file", "leaf", false},
		{"documentation", "leaf/docs.go", func(t *testing.T, w *world) { w.write(t, "leaf/docs.go", "package documentation\n") }, unused, "documentation", "", false},
		{"half a new file", "leaf/more.go", func(t *testing.T, w *world) { w.write(t, "leaf/more.go", "package leaf\nfunc (") }, broken, "parse", "leaf", false},
		{"outside the closure", "other/other.go", func(t *testing.T, w *world) { w.write(t, "other/other.go", "package other\n\nvar X int\n") }, unused, "not imported", "", false},
		{"no input", "README.md", func(t *testing.T, w *world) { w.write(t, "README.md", "x") }, unused, "not an input", "", false},
		{"embedded", "page/files/a.txt", func(t *testing.T, w *world) { w.write(t, "page/files/a.txt", "b") }, body, "embedded", "page", false},
		{"new embedded", "page/files/b.txt", func(t *testing.T, w *world) { w.write(t, "page/files/b.txt", "b") }, header, "embed pattern", "page", false},
		{"embedded gone", "page/files/a.txt", func(t *testing.T, w *world) { os.Remove(w.path("page/files/a.txt")) }, header, "removed", "page", false},
		{"go.mod", "go.mod", func(t *testing.T, w *world) { w.replace(t, "go.mod", "1.24", "1.25") }, header, "go.mod", "", true},
		{"go.sum appears", "go.sum", func(t *testing.T, w *world) { w.write(t, "go.sum", "") }, header, "appeared", "", true},
		{"go.work appears", "go.work", func(t *testing.T, w *world) { w.write(t, "go.work", "go 1.24\n\nuse .\n") }, header, "appeared", "", true},
		{"assembly appears", "leaf/leaf.s", func(t *testing.T, w *world) { w.write(t, "leaf/leaf.s", "") }, header, "new file", "leaf", false},
		{"directory as a file", "leaf/dir.go", func(t *testing.T, w *world) { os.Mkdir(w.path("leaf/dir.go"), 0o755) }, unused, "a directory", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := load(t)
			c.edit(t, w)
			got := w.s.Judge(w.path(c.file))
			pkg := strings.TrimPrefix(got.Package, "example.com/m/")
			if got.Verdict != c.verdict || !strings.Contains(got.Why, c.why) || pkg != c.pkg || got.Reload != c.reload {
				t.Errorf("got %v %q of %q (reload %v), want %v %q of %q (reload %v)", got.Verdict, got.Why, pkg, got.Reload, c.verdict, c.why, c.pkg, c.reload)
			}
			// What Judge says of a path, Scan must find without being told.
			found := slices.ContainsFunc(w.s.Scan(), func(x Change) bool { return x.Path == got.Path && x.Verdict == got.Verdict })
			if want := c.verdict > same || c.name == "comment"; want && !found {
				t.Errorf("the scan does not find it: %+v", w.s.Scan())
			}
			// A view judges like the whole.
			if v := w.s.View().Judge(w.path(c.file)); v.Verdict != got.Verdict || v.Why != got.Why {
				t.Errorf("the view says %v %q", v.Verdict, v.Why)
			}
		})
	}
}

// TestSameSizeSameTime: an edit that keeps size and modification time is found.
func TestSameSizeSameTime(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no change time: such an edit is found with the next one")
	}
	w := load(t)
	path := w.path("leaf/leaf.go")
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	s, err := Load(context.Background(), w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.replace(t, "leaf/leaf.go", `"leaf"`, `"tree"`)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	if c := s.Scan(); Worst(c) != astcheck.Body {
		t.Errorf("the scan finds %+v", c)
	}
}

// TestState: every save changes the state, also one of a file that was looked for
// in vain.
func TestState(t *testing.T) {
	w := load(t)
	state := w.s.State()
	if now := w.s.State(); now != state {
		t.Error("the state changed by itself")
	}
	for _, c := range []struct{ name, text string }{
		{"leaf/leaf.go", "package leaf\n\nvar Text = \"other leaf\"\n"},
		{"page/files/b.txt", "b\n"},
		{"go.work", "go 1.25\n\nuse .\n"},
		{"other/README", "means nothing\n"},
	} {
		w.write(t, c.name, c.text)
		now := w.s.State()
		if changed := now != state; changed != (c.name != "other/README") {
			t.Errorf("%s: state changed: %v", c.name, changed)
		}
		state = now
	}
}

func TestWithFiles(t *testing.T) {
	w := load(t)
	before, err := json.Marshal(w.s)
	if err != nil {
		t.Fatal(err)
	}
	w.replace(t, "leaf/leaf.go", `"leaf"`, `"tree"`)
	changes := w.s.Scan()
	next := w.s.WithFiles(changes)
	if after, _ := json.Marshal(w.s); string(after) != string(before) {
		t.Error("the old snapshot changed")
	}
	if Worst(next.Scan()) > astcheck.Same {
		t.Errorf("the next snapshot does not know the change: %+v", next.Scan())
	}
	want := []string{"example.com/m/leaf", "example.com/m/mid", "example.com/m/cmd/app"}
	if got := w.s.Affected(changes); !slices.Equal(got, want) {
		t.Errorf("rebuild set %v, want %v", got, want)
	}
	if got := w.s.Above("example.com/m/leaf"); !slices.Equal(got, want[1:]) {
		t.Errorf("above leaf are %v, want %v", got, want[1:])
	}
}

// TestReload compares a reload of single packages with a load of all.
func TestReload(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name  string
		edit  func(t *testing.T, w *world)
		dirty []string
		whole bool
	}{
		{"known import", func(t *testing.T, w *world) {
			w.write(t, "page/extra.go", "package page\n\nimport \"example.com/m/leaf\"\n\nvar Leaf = leaf.Leaf()\n")
		}, []string{"page"}, false},
		{"unknown std import", func(t *testing.T, w *world) {
			w.write(t, "leaf/extra.go", "package leaf\n\nimport \"hash/adler32\"\n\nvar Sum = adler32.Checksum(nil)\n")
		}, []string{"leaf"}, false},
		{"unknown package of the module", func(t *testing.T, w *world) {
			w.write(t, "leaf/extra.go", "package leaf\n\nimport _ \"example.com/m/other\"\n")
		}, []string{"leaf"}, false},
		{"import dropped", func(t *testing.T, w *world) {
			w.write(t, "mid/mid.go", "package mid\n\nfunc Mid() string { return \"mid\" }\n")
		}, []string{"mid"}, false},
		{"file leaves", func(t *testing.T, w *world) { w.replace(t, "leaf/leaf_dev.go", "//go:build dev", "//go:build never") }, []string{"leaf"}, false},
		{"embedded file added", func(t *testing.T, w *world) { w.write(t, "page/files/b.txt", "b") }, []string{"page"}, false},
		{"cycle", func(t *testing.T, w *world) {
			w.write(t, "leaf/extra.go", "package leaf\n\nimport _ \"example.com/m/mid\"\n")
		}, []string{"leaf"}, true},
		{"internal import", func(t *testing.T, w *world) {
			w.write(t, "leaf/extra.go", "package leaf\n\nimport _ \"internal/abi\"\n")
		}, []string{"leaf"}, true},
		{"no such package", func(t *testing.T, w *world) {
			w.write(t, "leaf/extra.go", "package leaf\n\nimport _ \"example.com/m/nowhere\"\n")
		}, []string{"leaf"}, true},
		{"package renamed", func(t *testing.T, w *world) { w.replace(t, "mid/mid.go", "package mid", "package other") }, []string{"mid"}, true},
		{"cgo", func(t *testing.T, w *world) {
			w.write(t, "leaf/extra.go", "package leaf\n\nimport \"C\"\n")
		}, []string{"leaf"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := load(t)
			c.edit(t, w)
			var dirty []string
			for _, d := range c.dirty {
				dirty = append(dirty, "example.com/m/"+d)
			}
			next, _, err := w.s.Reload(ctx, w.cfg, dirty)
			if c.whole {
				if !errors.Is(err, ErrWhole) || !strings.Contains(err.Error(), ErrWhole.Error()+": ") {
					t.Fatalf("got %v, want ErrWhole and a reason", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want, err := Load(ctx, w.cfg)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, next, want)
		})
	}
}

// compare wants two snapshots to agree in all that decides a build.
func compare(t *testing.T, got, want *Snapshot) {
	t.Helper()
	for path, p := range want.Packages {
		q := got.Packages[path]
		if q == nil {
			t.Errorf("%s is missing", path)
			continue
		}
		if p.Local != q.Local || p.Fixed != q.Fixed || p.Name != q.Name || p.Lang != q.Lang || p.Module != q.Module || p.Unhandled != q.Unhandled {
			t.Errorf("%s differs:\ngot  %+v\nwant %+v", path, q, p)
		}
		if !slices.Equal(p.GoFiles, q.GoFiles) || !slices.Equal(p.EmbedPatterns, q.EmbedPatterns) {
			t.Errorf("%s has files %v %v, want %v %v", path, q.GoFiles, q.EmbedPatterns, p.GoFiles, p.EmbedPatterns)
		}
		if p.Local && !slices.Equal(p.Imports, q.Imports) {
			t.Errorf("%s imports %v, want %v", path, q.Imports, p.Imports)
		}
		for name, f := range p.Files {
			if g := q.Files[name]; g == nil || g.Hash != f.Hash || g.Kind != f.Kind || !reflect.DeepEqual(g.Check, f.Check) {
				t.Errorf("%s: file %s is %+v, want %+v", path, name, g, f)
			}
		}
	}
	for path := range got.Packages {
		if want.Packages[path] == nil {
			t.Errorf("%s is still there", path)
		}
	}
}

// TestStored: a snapshot that went through JSON works like the original.
func TestStored(t *testing.T) {
	w := load(t)
	data, err := json.Marshal(w.s)
	if err != nil {
		t.Fatal(err)
	}
	s := new(Snapshot)
	if err := json.Unmarshal(data, s); err != nil {
		t.Fatal(err)
	}
	s.Seal()
	compare(t, s, w.s)
	if !slices.Equal(s.Order(), w.s.Order()) || !slices.Equal(s.WatchDirs(), w.s.WatchDirs()) {
		t.Error("lookups differ")
	}
}

func TestMains(t *testing.T) {
	w := load(t)
	w.write(t, "tools/gen.go", "//go:build ignore\n\npackage main\n\nfunc main() {}\n")
	w.write(t, "cmd/two/main.go", "package main\n\nfunc main() {}\n")
	w.write(t, "testdata/x/main.go", "package main\n\nfunc main() {}\n")
	w.write(t, "nested/go.mod", "module nested\n")
	w.write(t, "nested/main.go", "package main\n\nfunc main() {}\n")
	got := Mains(w.dir, w.cfg.Context)
	if want := []string{w.path("cmd/app"), w.path("cmd/two")}; !slices.Equal(got, want) {
		t.Errorf("mains %v, want %v", got, want)
	}
	if path, root := ModulePath(w.path("mid")); path != "example.com/m" || root != w.dir {
		t.Errorf("module %s at %s", path, root)
	}
}
