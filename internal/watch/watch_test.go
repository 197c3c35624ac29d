package watch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience bounds waits that succeed at once when the code is right; slow
// machines under -race need it long.
const patience = 20 * time.Second

// fixture is a watched temporary directory.
type fixture struct {
	t   *testing.T
	dir string
	w   *Watcher

	mu    sync.Mutex // guards lines
	lines []string
}

func newFixture(t *testing.T, o Options) *fixture {
	t.Helper()
	return watchDir(t, realTemp(t), o)
}

// realTemp is a temporary directory without symlinks in its path.
func realTemp(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func watchDir(t *testing.T, dir string, o Options) *fixture {
	t.Helper()
	f := &fixture{t: t, dir: dir}
	if o.Trees == nil && o.Dirs == nil {
		o.Trees = []string{dir}
	}
	o.Log = func(format string, args ...any) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.lines = append(f.lines, fmt.Sprintf(format, args...))
	}
	w, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	f.w = w
	t.Cleanup(func() { w.Close() })
	return f
}

// logged says whether a notice contains s.
func (f *fixture) logged(s string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.lines, func(l string) bool { return strings.Contains(l, s) })
}

func (f *fixture) path(name string) string { return filepath.Join(f.dir, filepath.FromSlash(name)) }

func (f *fixture) write(name, content string) {
	f.t.Helper()
	if err := os.WriteFile(f.path(name), []byte(content), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) mkdir(name string) {
	f.t.Helper()
	if err := os.MkdirAll(f.path(name), 0o755); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) rename(from, to string) {
	f.t.Helper()
	if err := os.Rename(f.path(from), f.path(to)); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) remove(name string) {
	f.t.Helper()
	if err := os.RemoveAll(f.path(name)); err != nil {
		f.t.Fatal(err)
	}
}

// next waits for a batch.
func (f *fixture) next() Batch {
	f.t.Helper()
	select {
	case b := <-f.w.Batches():
		return b
	case <-time.After(patience):
		f.t.Fatal("no batch")
		return Batch{}
	}
}

// rel shows a batch's paths relative to the fixture.
func (f *fixture) rel(b Batch) string {
	var names []string
	for _, p := range b.Paths {
		r, err := filepath.Rel(f.dir, p)
		if err != nil {
			r = p
		}
		names = append(names, filepath.ToSlash(r))
	}
	return strings.Join(names, " ")
}

// sync returns everything that was reported or pending, joined.
func (f *fixture) sync() Batch {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := f.w.Sync(ctx); err != nil {
		f.t.Fatal(err)
	}
	select {
	case b := <-f.w.Batches():
		return b
	default:
		return Batch{}
	}
}

// until gathers batches up to the first for which ok holds on all of them.
func (f *fixture) until(ok func(all Batch) bool) Batch {
	f.t.Helper()
	var all Batch
	deadline := time.After(patience)
	for !ok(all) {
		select {
		case b := <-f.w.Batches():
			all.Rescan = all.Rescan || b.Rescan
			all.Paths = append(all.Paths, b.Paths...)
			slices.Sort(all.Paths)
			all.Paths = slices.Compact(all.Paths)
		case <-deadline:
			f.t.Fatalf("gave up with rescan=%v paths %s", all.Rescan, f.rel(all))
		}
	}
	return all
}

// sources runs a test on each source.
func sources(t *testing.T, run func(t *testing.T, source string)) {
	for _, s := range []string{"native", "poll"} {
		t.Run(s, func(t *testing.T) { run(t, s) })
	}
}

func TestLoneSave(t *testing.T) {
	sources(t, func(t *testing.T, source string) {
		f := newFixture(t, Options{Source: source})
		f.write("x.go", "package x")
		f.sync()
		f.write("x.go", "package x // more")
		b := f.next()
		if got := f.rel(b); got != "x.go" {
			t.Errorf("batch is %q", got)
		}
		if b.Rescan || b.Seq == 0 || b.First.IsZero() {
			t.Errorf("batch %+v", b)
		}
	})
}

func TestSyncCoversEarlierWrites(t *testing.T) {
	sources(t, func(t *testing.T, source string) {
		f := newFixture(t, Options{Source: source})
		for i := range 50 {
			name := fmt.Sprintf("f%d.go", i)
			f.write(name, "package x")
			if got := f.rel(f.sync()); !strings.Contains(" "+got+" ", " "+name+" ") {
				t.Fatalf("after sync %d: %q", i, got)
			}
		}
	})
}

func TestNewDirectories(t *testing.T) {
	sources(t, func(t *testing.T, source string) {
		f := newFixture(t, Options{Source: source})
		f.mkdir("a/b/c")
		f.write("a/b/c/f.go", "package c")
		if got, want := f.rel(f.sync()), "a a/b a/b/c a/b/c/f.go"; got != want {
			t.Fatalf("got %q want %q", got, want)
		}
		f.write("a/b/c/f.go", "package c // later")
		if got := f.rel(f.sync()); got != "a/b/c/f.go" {
			t.Errorf("later write in new directory: %q", got)
		}
	})
}

func TestDirectoryRenamedAndBack(t *testing.T) {
	sources(t, func(t *testing.T, source string) {
		f := newFixture(t, Options{Source: source})
		f.mkdir("pkg/sub")
		f.write("pkg/sub/f.go", "package sub")
		f.sync()
		f.rename("pkg", "pkg2")
		f.rename("pkg2", "pkg")
		f.sync()
		f.write("pkg/sub/f.go", "package sub // changed")
		if got := f.rel(f.sync()); got != "pkg/sub/f.go" {
			t.Errorf("after rename and back: %q", got)
		}
		f.rename("pkg", "other")
		if got := f.rel(f.sync()); !strings.Contains(got, "other/sub/f.go") || !strings.Contains(got, "pkg") {
			t.Errorf("after rename: %q", got)
		}
		f.write("other/sub/f.go", "package sub // again")
		if got := f.rel(f.sync()); got != "other/sub/f.go" {
			t.Errorf("write under the new name: %q", got)
		}
	})
}

func TestRootRemovedAndBack(t *testing.T) {
	base := realTemp(t)
	root := filepath.Join(base, "root")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	f := watchDir(t, root, Options{Trees: []string{root}})
	f.remove("")
	if b := f.next(); !b.Rescan {
		t.Errorf("removal of the root is no rescan: %+v", b)
	}
	f.mkdir("sub")
	f.write("sub/x.go", "package sub")
	f.until(func(b Batch) bool { return b.Rescan && strings.Contains(f.rel(b), "sub/x.go") })
	f.write("sub/x.go", "package sub // more")
	f.until(func(b Batch) bool { return f.rel(b) == "sub/x.go" })
}

func TestMissingDirAppears(t *testing.T) {
	base := realTemp(t)
	f := watchDir(t, base, Options{Dirs: []string{filepath.Join(base, "later")}})
	f.mkdir("later")
	f.write("later/x.go", "package later")
	f.until(func(b Batch) bool { return strings.Contains(f.rel(b), "later/x.go") })
}

func TestDirIsNotRecursive(t *testing.T) {
	base := realTemp(t)
	if err := os.Mkdir(filepath.Join(base, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	f := watchDir(t, base, Options{Dirs: []string{base}})
	f.write("sub/x.go", "package sub")
	f.write("y.go", "package y")
	if got := f.rel(f.sync()); got != "y.go" {
		t.Errorf("got %q", got)
	}
}

func TestExcluded(t *testing.T) {
	sources(t, func(t *testing.T, source string) {
		f := newFixture(t, Options{Source: source})
		f.mkdir("node_modules/x")
		f.write("node_modules/x/a.go", "package x")
		f.mkdir(".git")
		f.write(".git/index", "")
		for _, n := range []string{"x.go~", ".x.go.swp", ".#x.go", "#x.go#", "4913", "x.go.12345", "x.go___jb_tmp___"} {
			f.write(n, "")
		}
		f.write(".env", "A=1")
		if got := f.rel(f.sync()); got != ".env" {
			t.Errorf("got %q", got)
		}
	})
}

func TestSeqGrowsAndWaitingBatchesJoin(t *testing.T) {
	f := newFixture(t, Options{})
	f.write("a.go", "")
	f.sync()
	var last uint64
	for range 3 {
		f.write("a.go", "1")
		b := f.next()
		if b.Seq <= last {
			t.Errorf("sequence %d after %d", b.Seq, last)
		}
		last = b.Seq
	}
	// Nobody receives: what settles meanwhile is one batch in the end.
	f.write("b.go", "")
	if err := f.w.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.write("c.go", "")
	if got := f.rel(f.sync()); got != "b.go c.go" {
		t.Errorf("joined batch is %q", got)
	}
}

func TestCloseEndsBatches(t *testing.T) {
	f := newFixture(t, Options{})
	if err := f.w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.w.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
	if _, ok := <-f.w.Batches(); ok {
		t.Error("batches still open")
	}
	if err := f.w.Sync(t.Context()); err == nil {
		t.Error("sync after close succeeded")
	}
}

func TestUnknownSource(t *testing.T) {
	if _, err := New(Options{Source: "psychic"}); err == nil {
		t.Error("accepted")
	}
}
