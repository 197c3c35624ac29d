package link_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hotreflex/hr/internal/link"
	"github.com/hotreflex/hr/internal/link/linktest"
)

var figures = flag.Bool("figures", false, "measure both linkers and print a line for each sample")

// TestFigures measures what the incremental linker promises: the first link of a
// program with all that it has to load, in turn with the toolchain's linker, then
// relinks after a body edit, and after an edit of exports, which replaces every
// package above. CADDY names a copy of caddy's module.
func TestFigures(t *testing.T) {
	if !*figures {
		t.Skip("takes minutes of an idle machine: make bench")
	}
	if !linktest.Supported() {
		t.Skip("the incremental linker does not have this machine as a target")
	}
	for _, cgo := range []string{"0", "1"} {
		t.Run("ginsvc/cgo="+cgo, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS("../../examples/ginsvc")); err != nil {
				t.Fatal(err)
			}
			const file = "internal/greet/greet.go"
			measure(t, subject{
				program: "ginsvc", cgo: cgo, dir: dir, pattern: "./cmd/ginsvc", edited: "./internal/greet", rounds: 9,
				body:    swap{file, `greeting := "Hello"`, `greeting := "Hello again"`},
				exports: swap{file, `const Service = "ginsvc"`, `const Service = "ginsvc again"`},
			})
		})
		t.Run("caddy/cgo="+cgo, func(t *testing.T) {
			dir := os.Getenv("CADDY")
			if dir == "" {
				t.Skip("CADDY does not name a copy of github.com/caddyserver/caddy/v2")
			}
			const file = "modules/caddyhttp/staticresp.go"
			measure(t, subject{
				program: "caddy", cgo: cgo, dir: dir, pattern: "./cmd/caddy", edited: "./modules/caddyhttp", rounds: 5,
				body:    swap{file, `body := repl.ReplaceKnown(s.Body, "")`, `body := repl.ReplaceKnown(s.Body, "") + "again"`},
				exports: swap{file, "type StaticResponse struct {", "type StaticResponse struct {\n\tAgain int\n"},
			})
		})
	}
}

// subject is a program with an edit of each kind to one of its packages.
type subject struct {
	program, cgo, dir, pattern, edited string
	body, exports                      swap
	rounds                             int
}

// swap is an edit: a text that stands once in a file, and the one in its place.
type swap struct{ file, old, new string }

func measure(t *testing.T, s subject) {
	m := &linktest.Module{Dir: s.dir, Env: []string{"CGO_ENABLED=" + s.cgo}}
	first := m.Request(t, s.pattern)
	var body, exports link.Request
	with(t, m, s.body, func() { body = withArchive(t, first, s.edited, export(t, m, s.edited)) })
	with(t, m, s.exports, func() { exports = m.Request(t, s.pattern) })

	out := t.TempDir()
	if shm, err := os.MkdirTemp("/dev/shm", "hr-link-figures-"); err == nil { // where hrd writes programs, too
		t.Cleanup(func() { os.RemoveAll(shm) })
		out = shm
	}
	run := func(l link.Linker, r link.Request, name string) time.Duration {
		r.Out = filepath.Join(out, name)
		begin := time.Now()
		if _, err := l.Link(context.Background(), r); err != nil {
			t.Fatal(err)
		}
		return time.Since(begin)
	}
	report := func(name, tool string, took time.Duration, packages int) {
		fmt.Printf("BenchmarkLink/program=%s/case=%s-cgo%s/tool=%s-%d\t1\t%d ns/op\t%d packages/op\n",
			s.program, name, s.cgo, tool, runtime.GOMAXPROCS(0), took.Nanoseconds(), packages)
	}

	// As in a daemon that has just begun, nothing else is in memory.
	for range s.rounds {
		report("whole", "go-link", run(link.NewToolchain(), first, "whole"), len(first.Packages)+1)
		l := link.NewIncremental(link.Options{})
		report("whole", "hr", run(l, first, "whole"), len(first.Packages)+1)
		l.Close()
		runtime.GC() // what it leaves is not for the next one to sweep
	}

	// A linker for each kind of relink, so that every relink replaces what its
	// kind says and no more. The first relinks write whole files; later ones
	// take an old file back.
	warm := func(edited link.Request, name string) func() time.Duration {
		l := link.NewIncremental(link.Options{})
		t.Cleanup(func() { l.Close() })
		links := 0
		relink := func() time.Duration {
			r := first
			if links%2 == 1 {
				r = edited
			}
			links++
			return run(l, r, fmt.Sprint(name, links%4)) // one more than what the linker takes back
		}
		relink()
		for range 4 {
			relink()
		}
		t.Cleanup(func() {
			if st := l.Stats(); st.Relinks != st.Links-1 {
				t.Errorf("%d relinks of %d links", st.Relinks, st.Links)
			}
		})
		return relink
	}
	relinkBody, relinkExports := warm(body, "body"), warm(exports, "exports")
	for range s.rounds {
		report("body", "hr", relinkBody(), replaced(first, body))
		report("exports", "hr", relinkExports(), replaced(first, exports))
	}
}

// with makes an edit for the time of do.
func with(t *testing.T, m *linktest.Module, s swap, do func()) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(m.Dir, filepath.FromSlash(s.file)))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), s.old); n != 1 {
		t.Fatalf("%s: %q stands there %d times, not once", s.file, s.old, n)
	}
	m.Write(t, s.file, strings.Replace(string(text), s.old, s.new, 1))
	defer m.Write(t, s.file, string(text))
	do()
}

// export compiles one package and returns its archive.
func export(t *testing.T, m *linktest.Module, pattern string) string {
	t.Helper()
	out, err := m.Go("list", "-export", "-buildvcs=false", "-f", "{{.Export}}", pattern)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// withArchive is r with another archive of one package: what hr links when the
// packages above are cut off, where go build compiles them anew.
func withArchive(t *testing.T, r link.Request, pattern, file string) link.Request {
	t.Helper()
	path := strings.TrimPrefix(pattern, ".")
	r.Packages = append([]link.Package(nil), r.Packages...)
	for i, p := range r.Packages {
		if strings.HasSuffix(p.Path, path) {
			r.Packages[i].File = file
			return r
		}
	}
	t.Fatalf("no package %s", pattern)
	return r
}

// replaced counts the archives that differ.
func replaced(a, b link.Request) int {
	files := map[string]bool{a.Main.File: true}
	for _, p := range a.Packages {
		files[p.File] = true
	}
	n := 0
	for _, p := range append([]link.Package{b.Main}, b.Packages...) {
		if !files[p.File] {
			n++
		}
	}
	return n
}
