//go:build unix

package watch

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// realReflex builds the reflex of go.mod's tool line.
func realReflex(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "reflex")
	if out, err := exec.Command("go", "build", "-o", path, "github.com/cespare/reflex").CombinedOutput(); err != nil {
		t.Fatalf("build reflex: %v\n%s", err, out)
	}
	return path
}

// writeUntil writes name again and again until a batch has it: reflex does not
// tell when it has begun to watch.
func (f *fixture) writeUntil(name string) Batch {
	f.t.Helper()
	tick := time.NewTicker(2 * reflexSilence)
	defer tick.Stop()
	deadline := time.After(patience)
	for {
		f.write(name, time.Now().String())
		select {
		case b := <-f.w.Batches():
			if strings.Contains(" "+f.rel(b)+" ", " "+name+" ") {
				return b
			}
		case <-tick.C:
		case <-deadline:
			f.t.Fatalf("%s is never reported", name)
		}
	}
}

func TestReflexReports(t *testing.T) {
	t.Setenv("HR_REFLEX", realReflex(t))
	dir := realTemp(t)
	for _, d := range []string{"sub", ".git", "single/below"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	tree, single := filepath.Join(dir, "sub"), filepath.Join(dir, "single")
	f := watchDir(t, dir, Options{Source: "reflex", Trees: []string{tree}, Dirs: []string{single}})
	b := f.writeUntil("sub/x.go")
	if !b.Rescan {
		t.Error("what reflex cannot tell must be compared, but the batch is no rescan")
	}
	if b.Held != reflexSilence || b.Silence < reflexSilence {
		t.Errorf("reflex held the event for %v of %v, want %v", b.Held, b.Silence, reflexSilence)
	}
	if took := time.Since(b.First); took < reflexSilence {
		t.Errorf("first event %v ago: it is older than reflex's silence", took)
	}
	f.writeUntil("single/y z.go")

	f.write("single/below/no.go", "")
	f.write("sub/x.go~", "")
	f.mkdir("sub/new")
	f.write("sub/new/n.go", "package n")
	all := f.until(func(b Batch) bool { return strings.Contains(f.rel(b), "sub/new/n.go") })
	if got := f.rel(all); strings.Contains(got, "no.go") || strings.Contains(got, "~") {
		t.Errorf("excluded paths came: %s", got)
	}
}

// A reflex that dies is started again; one that keeps dying is given up.
func TestReflexDies(t *testing.T) {
	dir := realTemp(t)
	fake := filepath.Join(dir, "fake")
	if err := os.WriteFile(fake, []byte("#!/bin/sh\necho too many open files\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HR_REFLEX", fake)
	if err := os.Mkdir(filepath.Join(dir, "tree"), 0o755); err != nil {
		t.Fatal(err)
	}
	f := watchDir(t, dir, Options{Source: "reflex", Trees: []string{filepath.Join(dir, "tree")}})
	f.until(func(b Batch) bool { return b.Rescan && f.logged("polling") })
	for _, want := range []string{"too many open files", "starting it again"} {
		if !f.logged(want) {
			t.Errorf("no notice says %q", want)
		}
	}
	f.write("tree/x.go", "")
	f.until(func(b Batch) bool { return strings.Contains(f.rel(b), "tree/x.go") })
}

func TestReflexSyncIsARescan(t *testing.T) {
	t.Setenv("HR_REFLEX", realReflex(t))
	f := newFixture(t, Options{Source: "reflex"})
	if b := f.sync(); !b.Rescan {
		t.Errorf("sync gave %+v: reflex cannot prove that nothing changed", b)
	}
}

func TestFindReflex(t *testing.T) {
	dir := t.TempDir()
	fake := filepath.Join(dir, "reflex")
	if err := os.WriteFile(fake, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "other")
	if err := os.WriteFile(other, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	check := func(want string) {
		t.Helper()
		if got, err := FindReflex("."); err != nil || got != want {
			t.Errorf("found %q (%v), want %q", got, err, want)
		}
	}
	path := os.Getenv("PATH")
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+path)
	t.Setenv("HR_REFLEX", other)
	check(other)
	t.Setenv("HR_REFLEX", "")
	check(fake)

	t.Setenv("HR_REFLEX", filepath.Join(dir, "missing"))
	if _, err := FindReflex("."); err == nil || !strings.Contains(err.Error(), "HR_REFLEX") {
		t.Errorf("a wrong HR_REFLEX gives %v", err)
	}

	t.Setenv("HR_REFLEX", "")
	t.Setenv("PATH", path)
	if _, err := exec.LookPath("reflex"); err == nil {
		return // the next place is hidden by the machine's own reflex
	}
	if got, err := FindReflex("."); err != nil || filepath.Base(got) != "reflex" {
		t.Errorf("among the module's tools: %q, %v", got, err)
	}
	var none *NoReflexError
	if _, err := FindReflex(dir); !errors.As(err, &none) || none.Hint() == "" {
		t.Errorf("outside of a module: %v", err)
	}
}
