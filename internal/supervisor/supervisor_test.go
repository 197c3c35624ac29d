package supervisor

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

func TestExitIsTheProgramsOwn(t *testing.T) {
	s := newTest(t, Options{})
	for _, code := range []int{0, 1, 42} {
		g := mustStart(t, s, testSpec(nil, "exit", strconv.Itoa(code)))
		receive(t, "exit", g.Done())
		if e := g.Exit(); e.Code != code || e.Signal != nil || e.Status() != code {
			t.Errorf("exit %d: %+v, status %d", code, e, e.Status())
		}
	}
}

func TestStartErrors(t *testing.T) {
	s := newTest(t, Options{})
	if _, err := s.Start(t.Context(), Spec{Path: filepath.Join(t.TempDir(), "nothing")}); err == nil {
		t.Error("started a file that does not exist")
	}
	out := newOutput(t)
	mustStart(t, s, testSpec(out, "wait"))
	if _, err := s.Start(t.Context(), testSpec(out, "wait")); err == nil {
		t.Error("started a second program")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Start(t.Context(), testSpec(out, "wait")); err == nil {
		t.Error("started after close")
	}
}

func TestStopUnknowingIsNothing(t *testing.T) {
	s := newTest(t, Options{})
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	s.Kill()
}

func TestReplace(t *testing.T) {
	s := newTest(t, Options{})
	out := newOutput(t)
	first := mustStart(t, s, testSpec(out, "listen", "127.0.0.1:0"))
	receive(t, "ready", first.Ready())
	address := out.wait(t, "address")
	for i := range 5 {
		g, timing, err := s.Replace(t.Context(), testSpec(out, "listen", address))
		if err != nil {
			t.Fatal(err)
		}
		if g.ID != first.ID+i+1 {
			t.Errorf("generation %d after %d", g.ID, first.ID+i)
		}
		select {
		case <-g.Ready():
		default:
			t.Fatalf("replace returned before it was ready: %v, exit %v", timing, g.Exit())
		}
		t.Logf("#%d %v", g.ID, timing)
	}
	if !first.over() {
		t.Error("the first generation still runs")
	}
}

func TestReplaceReturnsWhenTheNewOneExits(t *testing.T) {
	s := newTest(t, Options{})
	out := newOutput(t)
	mustStart(t, s, testSpec(out, "wait"))
	out.wait(t, "up")
	g, _, err := s.Replace(t.Context(), testSpec(out, "exit", "3"))
	if err != nil {
		t.Fatal(err)
	}
	receive(t, "exit", g.Done())
	if g.Exit().Code != 3 {
		t.Errorf("exit %v", g.Exit())
	}
}

func TestStubbornProgramIsKilled(t *testing.T) {
	s := newTest(t, Options{Grace: 30 * time.Millisecond})
	out := newOutput(t)
	g := mustStart(t, s, testSpec(out, "stubborn"))
	out.wait(t, "up")
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if g.Exit().Signal != os.Kill || g.Exit().Status() != 137 {
		t.Errorf("exit %v, status %d", g.Exit(), g.Exit().Status())
	}
}

// TestStubbornProgramIsReplaced: what ignores the stop signal delays the next
// generation by the grace, and by no more.
func TestStubbornProgramIsReplaced(t *testing.T) {
	const grace = 200 * time.Millisecond
	s := newTest(t, Options{Grace: grace})
	out := newOutput(t)
	old := mustStart(t, s, testSpec(out, "stubborn"))
	out.wait(t, "up")
	g, timing, err := s.Replace(t.Context(), testSpec(out, "wait"))
	if err != nil || g.over() || !old.over() {
		t.Fatalf("%v, new over %v, old over %v", err, g.over(), old.over())
	}
	if timing.Stop < grace || timing.Stop > grace+killWait {
		t.Errorf("stop took %v", timing.Stop)
	}
}

func TestEndOfContextCutsTheGrace(t *testing.T) {
	s := newTest(t, Options{Grace: time.Hour})
	out := newOutput(t)
	g := mustStart(t, s, testSpec(out, "stubborn"))
	out.wait(t, "up")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if !g.over() {
		t.Error("still running")
	}
}

func TestKillCutsTheGrace(t *testing.T) {
	s := newTest(t, Options{Grace: time.Hour})
	out := newOutput(t)
	g := mustStart(t, s, testSpec(out, "stubborn"))
	out.wait(t, "up")
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop(context.Background()) }()
	s.Kill()
	receive(t, "exit", g.Done())
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestEnvironment(t *testing.T) {
	env := environment(Spec{Env: []string{"A=1", "HR_GENERATION=9", "PWD=/old"}, Dir: "/new"}, 4)
	want := []string{"A=1", "PWD=/new", "HR_GENERATION=4"}
	if len(env) != len(want) {
		t.Fatalf("got %q", env)
	}
	for i := range want {
		if env[i] != want[i] {
			t.Errorf("got %q want %q", env, want)
		}
	}
}
