package link_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hotreflex/hr/internal/link"
	"github.com/hotreflex/hr/internal/link/linktest"
)

// session links one program again and again with both linkers.
type session struct {
	t    *testing.T
	m    *linktest.Module
	inc  *link.Incremental
	dir  string
	step int
	mode string // of the last link
}

func newSession(t *testing.T, files map[string]string) *session {
	if !linktest.Supported() {
		t.Skip("the incremental linker's target is linux/amd64")
	}
	s := &session{t: t, m: linktest.New(t, files), dir: t.TempDir()}
	s.m.Env = []string{"CGO_ENABLED=" + s.cgo()}
	s.inc = link.NewIncremental(link.Options{Check: true})
	t.Cleanup(s.inc.Close)
	return s
}

// link compiles the module, links it with both linkers and compares what the
// programs print.
func (s *session) link() string {
	s.t.Helper()
	r := s.m.Request(s.t, ".")
	real := toolchainSays(s.t, r)
	s.step++
	r.Out = filepath.Join(s.dir, fmt.Sprint("prog", s.step))
	res, err := s.inc.Link(context.Background(), r)
	if err != nil {
		s.t.Fatalf("step %d: %v", s.step, err)
	}
	s.mode = res.Mode
	if got := run(s.t, r.Out); got != real {
		s.t.Errorf("step %d (%s): program said\n%s\nwith the toolchain's linker\n%s", s.step, res.Mode, got, real)
	}
	return real
}

// said is what programs of the toolchain's linker said, by their archives.
var said = map[string]string{}

// toolchainSays links a program with the toolchain's linker and runs it, once
// for the same archives: the go command names them by their content.
func toolchainSays(t *testing.T, r link.Request) string {
	t.Helper()
	key := fmt.Sprint(r.Flags, r.Main, r.Packages)
	if text, ok := said[key]; ok {
		return text
	}
	r.Out = filepath.Join(t.TempDir(), "go")
	if _, err := link.NewToolchain().Link(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	said[key] = run(t, r.Out)
	return said[key]
}

// run runs a program and returns all it says; addresses are blanked.
func run(t *testing.T, file string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, file, args...)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState.ExitCode() < 0 {
		t.Fatalf("%s: %v\n%.4000s", file, err, out)
	}
	return fmt.Sprintf("%sexit %d", address.ReplaceAll(out, []byte("0x?")), cmd.ProcessState.ExitCode())
}

var address = regexp.MustCompile("0x[0-9a-f]+")

func TestIncrementalHello(t *testing.T) {
	s := newSession(t, map[string]string{"main.go": hello})
	s.link()
	if s.mode != "full" {
		t.Errorf("first link is %s", s.mode)
	}
	s.m.Write(t, "main.go", strings.Replace(hello, "hello", "good evening", 1))
	if out := s.link(); s.mode != "relink" || !strings.Contains(out, "good evening") {
		t.Errorf("second link is %s, program said %s", s.mode, out)
	}
}

func TestIncrementalLeavesOldPrograms(t *testing.T) {
	s := newSession(t, map[string]string{"main.go": hello})
	first := s.m.Request(t, ".")
	first.Out = filepath.Join(s.dir, "kept")
	if _, err := s.inc.Link(context.Background(), first); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(first.Out, first.Out+".link"); err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		s.m.Write(t, "main.go", strings.Replace(hello, "hello", fmt.Sprint("hello ", i), 1))
		s.link()
	}
	if out := run(t, first.Out+".link"); out != "hello\nexit 0" {
		t.Errorf("kept program says %q", out)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "prog1")); err == nil {
		t.Error("an old program was not taken back")
	}
	for _, name := range []string{"prog3", "prog4"} {
		if _, err := os.Stat(filepath.Join(s.dir, name)); err != nil {
			t.Error(err)
		}
	}
}

// TestConcurrentLinks links more programs at once than are kept.
func TestConcurrentLinks(t *testing.T) {
	if !linktest.Supported() {
		t.Skip("the incremental linker's target is linux/amd64")
	}
	inc := link.NewIncremental(link.Options{MaxStates: 2})
	defer inc.Close()
	var requests []link.Request
	for i := range 4 {
		m := linktest.New(t, map[string]string{"main.go": strings.Replace(hello, "hello", fmt.Sprint("hello ", i), 1)})
		m.Env = []string{"CGO_ENABLED=0"}
		requests = append(requests, m.Request(t, "."))
	}
	dir := t.TempDir()
	var wg sync.WaitGroup
	for n := range 24 {
		wg.Go(func() {
			r := requests[n%len(requests)]
			r.Out = filepath.Join(dir, fmt.Sprint("prog", n))
			if _, err := inc.Link(context.Background(), r); err != nil {
				t.Errorf("link %d: %v", n, err)
			}
		})
	}
	wg.Wait()
	st := inc.Stats()
	if st.States > 2 || st.Links != 24 || st.HeapBytes <= st.ImageBytes {
		t.Errorf("%+v", st)
	}
	left, err := filepath.Glob(filepath.Join(dir, "prog*"))
	if err != nil || len(left) == 0 {
		t.Fatalf("%v, %v", left, err)
	}
	for _, file := range left {
		var n int
		fmt.Sscanf(filepath.Base(file), "prog%d", &n)
		if out := run(t, file); out != fmt.Sprintf("hello %d\nexit 0", n%len(requests)) {
			t.Errorf("%s says %q", file, out)
		}
	}
}

// TestIdle lays a program out anew after many functions have come and gone.
func TestIdle(t *testing.T) {
	plain(t)
	files := maps.Clone(sequenceApp)
	s := newSession(t, files)
	s.link()
	for i := range 4 {
		// Ever more functions: the package outgrows its place again and again.
		s.m.Write(t, "a/many.go", manyFunctions(500*(i+1)))
		applyStep(t, s, files, []edit{{"a/a.go", "x = f(x)", fmt.Sprintf("x = f(x) + many(x+%d)", i)}})
		files["a/a.go"] = sequenceApp["a/a.go"]
		s.link()
		r := s.m.Request(t, ".")
		if err := s.inc.Idle(context.Background(), r.State); err != nil {
			t.Fatal(err)
		}
		s.link()
	}
	if st := s.inc.Stats(); st.Mismatches != 0 || st.Checks < 10 {
		t.Errorf("%+v", st)
	}
}

// cgo is the value of CGO_ENABLED: tests whose name ends in Cgo set it.
func (s *session) cgo() string {
	if strings.HasSuffix(s.t.Name(), "Cgo") {
		return "1"
	}
	return "0"
}

// plain skips a test under the race detector, which slows the linker five times
// and sees nothing in it that it does not see in TestEditSequence, TestReached and
// TestConcurrentLinks: the same goroutines at the same work. make test runs this
// package without it as well.
func plain(t testing.TB) {
	t.Helper()
	if raceDetector {
		t.Skip("runs without the race detector")
	}
}
