package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hotreflex/hr/internal/engine"
	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/protocol"
)

// TestMain is the recorder of the link when the go command calls it.
func TestMain(m *testing.M) {
	if engine.Recording(os.Args) {
		os.Exit(engine.RunToolexec(os.Args))
	}
	os.Exit(m.Run())
}

// world is a daemon in this process and a module for it.
type world struct {
	t   *testing.T
	l   *Local
	dir string
	job order.Job
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, dir: dir}
	w.write("go.mod", "module example.com/m\n\ngo 1.24\n")
	w.write("main.go", "package main\n\nimport \"example.com/m/leaf\"\n\nfunc main() { println(leaf.Text()) }\n")
	w.text("one")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w.l, err = NewLocal(Options{CacheDir: t.TempDir(), Self: []string{self, "toolexec"}, CheckLinks: true, Log: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.l.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	env := append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOENV=off", "GOTOOLCHAIN=local")
	w.job = order.Job{Dir: dir, Env: env, Flags: []string{"-buildvcs=false", "-ldflags=-s -w"}, Package: []string{"."}}
	return w
}

func (w *world) write(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	// As editors save: never half a file under its name.
	if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		w.t.Fatal(err)
	}
}

// text makes the program print s.
func (w *world) text(s string) {
	w.t.Helper()
	w.write("leaf/leaf.go", "package leaf\n\n//go:noinline\nfunc Text() string {\n\ts := \""+s+"\"\n\tfor i := range 2 {\n\t\ts += string(rune('a' + i))\n\t}\n\treturn s\n}\n")
}

// open opens a session; it is closed with the test.
func (w *world) open() (*protocol.Session, *protocol.Reply, error) {
	w.t.Helper()
	s, reply, err := w.l.Client().Open(w.t.Context(), w.job, protocol.Handler{})
	if s != nil {
		w.t.Cleanup(s.Close)
	}
	return s, reply, err
}

// waitfor waits for what another goroutine does soon.
func (w *world) waitfor(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); { // longer than any machine needs
		if time.Now().After(end) {
			w.t.Fatalf("waited in vain for %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func (w *world) mustOpen() (*protocol.Session, *protocol.Reply) {
	w.t.Helper()
	s, reply, err := w.open()
	if err != nil {
		w.t.Fatalf("open: %v", err)
	}
	return s, reply
}

// says runs an artifact.
func (w *world) says(a order.Artifact, want string) {
	w.t.Helper()
	out, err := exec.Command(a.Path).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != want+"ab" {
		w.t.Errorf("the program says %q (%v), want %q", out, err, want+"ab")
	}
}

func TestSessionsShareBuilds(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	replies := make([]*protocol.Reply, 3)
	for i := range replies {
		wg.Go(func() { _, replies[i], _ = w.open() })
	}
	wg.Wait()
	for i, r := range replies {
		if r == nil {
			t.Fatalf("session %d has no program", i)
		}
		w.says(r.Outcome.Artifact, "one")
	}
	st := w.l.d.Status()
	if st.Builds.Fallback != 1 {
		t.Errorf("%d go builds for three sessions, want 1: %+v", st.Builds.Fallback, st.Builds)
	}
	if len(st.Sessions) != 3 || len(st.Contexts) != 1 {
		t.Errorf("status has %d sessions and %d contexts, want 3 and 1", len(st.Sessions), len(st.Contexts))
	}
}

func TestBuildFollowsTheSource(t *testing.T) {
	w := newWorld(t)
	s, _ := w.mustOpen()
	w.text("two")
	r, err := s.Build(t.Context(), protocol.BuildRequest{Seq: 1}, protocol.Handler{})
	if err != nil {
		t.Fatal(err)
	}
	w.says(r.Outcome.Artifact, "two")
	if r.Outcome.Fallback != "" || r.Outcome.Compiled != 1 {
		t.Errorf("outcome %+v, want one package compiled", r.Outcome)
	}
	if st := w.l.d.linker.Stats(); r.Outcome.Linker == "incremental" && (st.Checks == 0 || st.Mismatches > 0) {
		t.Errorf("the link was not checked, or wrongly made: %+v", st)
	}
	// A program that does not build is a failure with the go command's words.
	w.write("leaf/leaf.go", "package leaf\n\nfunc Text() string { return 1 }\n")
	_, err = s.Build(t.Context(), protocol.BuildRequest{Seq: 2}, protocol.Handler{})
	var f *protocol.Failure
	if !errors.As(err, &f) || f.Build == nil || !strings.Contains(f.Build.Text, "leaf/leaf.go:3:") {
		t.Fatalf("got %v, want the compiler's error", err)
	}
	w.write("leaf/leaf.go", "package leaf\n\nfunc Text() string { return \n")
	if _, err = s.Build(t.Context(), protocol.BuildRequest{Seq: 3}, protocol.Handler{}); !errors.As(err, &f) || f.Build == nil || f.Build.Syntax == nil {
		t.Fatalf("got %v, want a syntax error", err)
	}
	// An undo finds what was built before.
	w.text("two")
	if r, err = s.Build(t.Context(), protocol.BuildRequest{Seq: 4}, protocol.Handler{}); err != nil {
		t.Fatal(err)
	}
	w.says(r.Outcome.Artifact, "two")
	if r.Outcome.Compiled != 0 || r.Outcome.Linker != "" {
		t.Errorf("the undo compiled or linked: %+v", r.Outcome)
	}
}

// TestSupersede saves while builds run: whoever asked last gets the last text,
// and who asked before gets it too or is told to give up.
func TestSupersede(t *testing.T) {
	w := newWorld(t)
	s, _ := w.mustOpen()
	var wg sync.WaitGroup
	last := order.Artifact{}
	texts := []string{"p", "q", "r", "s", "t"}
	for i, text := range texts {
		w.text(text)
		started := make(chan struct{})
		wg.Go(func() {
			close(started)
			r, err := s.Build(t.Context(), protocol.BuildRequest{Seq: uint64(i + 1)}, protocol.Handler{})
			if err != nil {
				t.Errorf("build %d: %v", i, err)
				return
			}
			if i == len(texts)-1 {
				last = r.Outcome.Artifact
			}
		})
		<-started
	}
	wg.Wait()
	w.says(last, texts[len(texts)-1])
}

func TestGiveUp(t *testing.T) {
	w := newWorld(t)
	s, _ := w.mustOpen()
	w.text("two")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Build(ctx, protocol.BuildRequest{Seq: 1}, protocol.Handler{}); err == nil {
		t.Fatal("a build that was given up gave a program")
	}
	r, err := s.Build(t.Context(), protocol.BuildRequest{Seq: 2}, protocol.Handler{})
	if err != nil {
		t.Fatal(err)
	}
	w.says(r.Outcome.Artifact, "two")
}

// TestSnapshotView: a session is told the snapshot after its program, and it
// judges without the daemon.
func TestSnapshotView(t *testing.T) {
	w := newWorld(t)
	got := make(chan *graph.Snapshot, 1)
	h := protocol.Handler{Snapshot: func(s *graph.Snapshot) { got <- s }}
	s, _, err := w.l.Client().Open(t.Context(), w.job, h)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	go s.Rest(h)
	snap := <-got
	if c := snap.Judge(filepath.Join(w.dir, "leaf", "leaf_test.go")); c.Why != "test file" {
		t.Errorf("the view judges %+v", c)
	}
}

func TestDrain(t *testing.T) {
	w := newWorld(t)
	released := make(chan struct{})
	w.l.d.opt.Release = func() { close(released) }
	s, _ := w.mustOpen()
	w.l.d.Drain(false)
	<-released
	if _, _, err := w.open(); err == nil {
		t.Error("a draining daemon took a session")
	}
	w.text("two")
	r, err := s.Build(t.Context(), protocol.BuildRequest{Seq: 1}, protocol.Handler{})
	if err != nil {
		t.Fatalf("the open session: %v", err)
	}
	w.says(r.Outcome.Artifact, "two")
	s.Close()
	select {
	case <-w.l.d.leave:
	case <-time.After(30 * time.Second): // longer than any machine needs to end a stream
		t.Fatal("the daemon stays after its last session")
	}
}

func TestBadRequests(t *testing.T) {
	w := newWorld(t)
	server := httptest.NewServer(w.l.d.routes())
	defer server.Close()
	for _, c := range []struct {
		method, path, body string
		code               string
	}{
		{"POST", "/v1/sessions", "{", protocol.CodeUsage},
		{"POST", "/v1/sessions/77/build", `{"seq":1}`, protocol.CodeNotFound},
		{"POST", "/v1/sessions", `{"job":{"dir":"` + w.dir + `","env":["PATH=/nowhere"]}}`, protocol.CodeNotFound},
	} {
		req, err := http.NewRequest(c.method, server.URL+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var e protocol.Error
		var answer struct { // an error, or the event with one
			protocol.Error
			Refused *protocol.Error
		}
		err = json.NewDecoder(resp.Body).Decode(&answer)
		if e = answer.Error; answer.Refused != nil {
			e = *answer.Refused
		}
		resp.Body.Close()
		if err != nil || e.Code != c.code || e.Message == "" {
			t.Errorf("%s %s: %d %+v (%v), want code %s", c.method, c.path, resp.StatusCode, e, err, c.code)
		}
	}
}

func TestPanicCostsOneRequest(t *testing.T) {
	w := newWorld(t)
	rec := httptest.NewRecorder()
	w.l.d.handle(func(http.ResponseWriter, *http.Request) error { panic("oops") })(rec, httptest.NewRequest("GET", "/", strings.NewReader("")))
	var e protocol.Error
	if err := json.Unmarshal(rec.Body.Bytes(), &e); err != nil || e.Code != protocol.CodeInternal || !strings.Contains(e.Message, "oops") {
		t.Errorf("the client is told %q", rec.Body)
	}
	if _, err := w.l.Client().Hello(t.Context()); err != nil {
		t.Errorf("the daemon is gone: %v", err)
	}
}

// What a front may go back to is not evicted, however many programs were built
// since, until its session ends.
func TestGoodProgramStays(t *testing.T) {
	w := newWorld(t)
	s, first := w.mustOpen()
	good := first.Outcome.Artifact
	for i, text := range []string{"two", "three"} {
		w.text(text)
		if _, err := s.Build(t.Context(), protocol.BuildRequest{Seq: uint64(i + 1), Good: &good}, protocol.Handler{}); err != nil {
			t.Fatal(err)
		}
	}
	d := w.l.d
	if !d.inUse(engine.ArtifactFile(good)) {
		t.Error("the good program may be evicted")
	}
	s.Close()
	w.waitfor("the session to end", func() bool { return len(d.Status().Sessions) == 0 })
	if d.inUse(engine.ArtifactFile(good)) {
		t.Error("the program is kept for a session that has ended")
	}
}
