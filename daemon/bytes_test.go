package daemon

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/protocol"
)

// TestNamesThatAreNoText builds a module of a directory, with files and under
// variables, that are no UTF-8: from the source, by recipe, and from the store.
func TestNamesThatAreNoText(t *testing.T) {
	w := newWorld(t)
	dir := filepath.Join(filepath.Dir(w.dir), "d\xff")
	if err := os.Rename(w.dir, dir); err != nil {
		t.Skipf("no such names here: %v", err)
	}
	w.dir, w.job.Dir = dir, dir
	w.job.Env = append(w.job.Env, "HR_BYTES=\xfe")
	source := func(s string) string { return "package leaf\n\nvar more = \"" + s + "\"\n" }
	w.write("leaf/leaf.go", "package leaf\n\nfunc Text() string { return more + \"ab\" }\n")
	w.write("leaf/x\xfe.go", source("one"))
	w.write("leaf/x\xff.go/note", "a directory whose name go list shows as that of the file")
	w.write("../d\xfe/go.mod", "and one that looks like the module's")

	snaps := make(chan *graph.Snapshot, 1)
	h := protocol.Handler{Snapshot: func(s *graph.Snapshot) { snaps <- s }}
	s, reply, err := w.l.Client().Open(t.Context(), w.job, h)
	if err != nil {
		t.Fatal(err)
	}
	w.says(reply.Outcome.Artifact, "one")
	go s.Rest(h)
	snap := <-snaps
	file := filepath.Join(dir, "leaf", "x\xfe.go")
	if snap.File(file) == nil || snap.Dir != dir {
		t.Errorf("the client's snapshot of %q does not know %q", snap.Dir, file)
	}
	build := func(seq uint64, want string, fast bool) {
		t.Helper()
		r, err := s.Build(t.Context(), protocol.BuildRequest{Seq: seq}, protocol.Handler{})
		if err != nil {
			t.Fatal(err)
		}
		w.says(r.Outcome.Artifact, want)
		if fast && r.Outcome.Fallback != "" {
			t.Errorf("go build was needed: %s", r.Outcome.Fallback)
		}
	}
	w.write("leaf/x\xfe.go", source("two"))
	build(1, "two", true)
	// Forgotten, the program comes from the store.
	d := w.l.d
	d.mu.Lock()
	var b *bench
	for _, b = range d.benches {
	}
	d.mu.Unlock()
	d.engine.Save(b.program())
	b.mu.Lock()
	b.last = nil
	b.mu.Unlock()
	build(2, "two", true)
	// The file goes, as when another branch is checked out.
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	w.write("leaf/more.go", source("three"))
	build(3, "three", true)
	w.write("leaf/more.go", source("four"))
	build(4, "four", true)
	s.Close()
}

// TestJobComesWhole: what crosses the socket is the job, to the byte.
func TestJobComesWhole(t *testing.T) {
	w := newWorld(t)
	w.job.Env = append(w.job.Env, "A=\xff", "\xfe=\ufffd")
	w.job.Flags = append(w.job.Flags, "-tags=a\xff")
	w.job.Dir += "/\xff" // there is none: the answer must say so of this very job
	_, _, err := w.open()
	if err == nil || errors.Is(err, protocol.ErrOther) {
		t.Errorf("the daemon read another job: %v", err)
	}
}
