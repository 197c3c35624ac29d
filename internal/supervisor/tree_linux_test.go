package supervisor

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

func pidOf(t *testing.T, s string) int {
	t.Helper()
	pid, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// TestDescendantsEnd is row 19 of the fault matrix and its relatives.
func TestDescendantsEnd(t *testing.T) {
	tests := []struct {
		name string
		args []string
	}{
		{"child in the group", []string{"fork-wait", "wait"}},
		{"child in a session of its own", []string{"daemonize", "wait"}},
		{"double fork, middle gone", []string{"fork-wait", "fork-exit", "wait"}},
		{"program gone, daemon left", []string{"fork-exit", "wait"}},
		{"stubborn daemon", []string{"daemonize", "stubborn"}},
		{"deep", []string{"daemonize", "daemonize", "fork-exit", "daemonize", "wait"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newTest(t, Options{Grace: 300 * time.Millisecond})
			out := newOutput(t)
			g := mustStart(t, s, testSpec(out, tt.args[0], tt.args[1:]...))
			child := pidOf(t, out.wait(t, "child"))
			if tt.args[0] == "fork-exit" {
				receive(t, "exit", g.Done())
			}
			if !alive(child) {
				t.Fatal("child died too early for the test to mean anything")
			}
			if err := s.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
			if alive(child) {
				t.Errorf("process %d is left", child)
			}
		})
	}
}

// TestPortIsFreeForTheNext: the daemon that holds the port is gone before the
// next generation starts.
func TestPortIsFreeForTheNext(t *testing.T) {
	s := newTest(t, Options{})
	out := newOutput(t)
	mustStart(t, s, testSpec(out, "daemonize", "listen", "127.0.0.1:0"))
	out.wait(t, "child")
	address := out.wait(t, "address")
	for range 5 {
		g, _, err := s.Replace(t.Context(), testSpec(out, "daemonize", "listen", address))
		if err != nil {
			t.Fatal(err)
		}
		if g.over() {
			t.Fatalf("generation %d: %v, %s", g.ID, g.Exit(), out.value("error"))
		}
	}
}

// TestGrandchildKeepsOutputOpen is row 20: nobody waits for a pipe to close.
func TestGrandchildKeepsOutputOpen(t *testing.T) {
	s := newTest(t, Options{})
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	spec := testSpec(nil, "fork-exit", "wait")
	spec.Stdout = w
	g := mustStart(t, s, spec)
	w.Close()
	receive(t, "exit", g.Done())
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestTextBusy is row 22: the file is open for writing in another process for
// a while.
func TestTextBusy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "program")
	data, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	writer, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := newTest(t, Options{})
	spec := testSpec(nil, "exit", "0")
	spec.Path = path
	closed := time.AfterFunc(10*time.Millisecond, func() { writer.Close() })
	defer closed.Stop()
	g := mustStart(t, s, spec)
	receive(t, "exit", g.Done())
	if g.Exit().Code != 0 {
		t.Errorf("exit %v", g.Exit())
	}
}

// TestTextBusyStorm is row 22 as it happens: each program was written just
// now, and forks elsewhere in this process hold it open.
func TestTextBusyStorm(t *testing.T) {
	s := newTest(t, Options{})
	data, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Skipf("no small program to copy: %v", err)
	}
	stop := make(chan struct{})
	var storm sync.WaitGroup
	for range 2 {
		storm.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					exec.Command("/bin/true").Run()
				}
			}
		})
	}
	defer storm.Wait()
	defer close(stop)
	dir := t.TempDir()
	for i := range 50 {
		path := filepath.Join(dir, strconv.Itoa(i))
		if err := os.WriteFile(path, data, 0o755); err != nil {
			t.Fatal(err)
		}
		g, _, err := s.Replace(t.Context(), Spec{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		receive(t, "exit", g.Done())
	}
}

// TestOrphansAreReapedAndOthersAreNot: a zombie that os/exec still wants is
// left to it.
func TestOrphansAreReapedAndOthersAreNot(t *testing.T) {
	newTest(t, Options{}) // makes this process a subreaper
	mine := exec.Command("/bin/sh", "-c", "exit 7")
	if err := mine.Start(); err != nil {
		t.Fatal(err)
	}
	// sh leaves an orphan that ends by itself; it becomes a child of this process.
	orphan := exec.Command("/bin/sh", "-c", "/bin/sh -c 'exec 1>&-; sleep 0.05' & echo $!")
	text, err := orphan.Output()
	if err != nil {
		t.Fatal(err)
	}
	pid := pidOf(t, string(text[:len(text)-1]))
	isZombie := func(pid int) bool { p, ok := readProcess(pid); return ok && p.dead }
	waitFor(t, "both zombies", func() bool { return isZombie(mine.Process.Pid) && (isZombie(pid) || !alive(pid)) })
	reapOrphans()
	if alive(pid) {
		t.Errorf("orphan %d was not reaped", pid)
	}
	if err := mine.Wait(); err == nil || mine.ProcessState.ExitCode() != 7 {
		t.Errorf("wait of our own child: %v, %v", err, mine.ProcessState)
	}
}

// TestKilledSupervisorTakesTheProgramAlong is row 21 for kill -9: the program
// dies by Pdeathsig, and its children by the guard.
func TestKilledSupervisorTakesTheProgramAlong(t *testing.T) {
	for _, args := range [][]string{{"wait"}, {"fork-wait", "wait"}} {
		out := newOutput(t)
		cmd := exec.Command(os.Args[0], args...)
		cmd.Env = append(os.Environ(), programVariable+"=supervise")
		cmd.Stdout, cmd.Stderr = out.file, out.file
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		key := "child"
		if len(args) == 1 {
			key = "up"
		}
		pid := pidOf(t, out.wait(t, key))
		out.wait(t, "started")
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		t.Cleanup(func() {
			if t.Failed() {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		})
		waitFor(t, "the end of all", func() bool { p, ok := readProcess(pid); return !ok || p.dead })
	}
}

func TestReadyMeansListening(t *testing.T) {
	s := newTest(t, Options{})
	for _, args := range [][]string{{"listen", "127.0.0.1:0"}, {"listen", "[::1]:0"}, {"fork-wait", "listen", "127.0.0.1:0"}} {
		out := newOutput(t)
		g, _, err := s.Replace(t.Context(), testSpec(out, args[0], args[1:]...))
		if err != nil {
			t.Fatal(err)
		}
		if g.over() {
			t.Fatalf("%v: %v", args, g.Exit())
		}
		c, err := net.Dial("tcp", out.wait(t, "address"))
		if err != nil {
			t.Fatalf("%v ready, but: %v", args, err)
		}
		c.Close()
	}
}

func TestSilentProgramBecomesReady(t *testing.T) {
	s := newTest(t, Options{ReadyTimeout: 20 * time.Millisecond})
	out := newOutput(t)
	g := mustStart(t, s, testSpec(out, "wait"))
	receive(t, "ready", g.Ready())
	if s.listened != listenNo {
		t.Error("habit not learned")
	}
}

func TestListenersSeesOurs(t *testing.T) {
	before := listeners()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	unixListener, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer unixListener.Close()
	for _, ln := range []interface {
		SyscallConn() (syscall.RawConn, error)
	}{l.(*net.TCPListener), unixListener.(*net.UnixListener)} {
		raw, err := ln.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var st syscall.Stat_t
		if err := raw.Control(func(fd uintptr) { syscall.Fstat(int(fd), &st) }); err != nil {
			t.Fatal(err)
		}
		if now := listeners(); !now[st.Ino] || before[st.Ino] {
			t.Errorf("%T: inode %d listed before %v, now %v", ln, st.Ino, before[st.Ino], now[st.Ino])
		}
	}
}

// TestStopToStart measures the dead time of a restart: signal, exit, exec.
func TestStopToStart(t *testing.T) {
	s := newTest(t, Options{})
	out := newOutput(t)
	var all []time.Duration
	for i := range 20 {
		g := mustStart(t, s, testSpec(out, "wait"))
		waitFor(t, "up", func() bool { return out.value("up") == strconv.Itoa(g.Pid) })
		begin := time.Now()
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			all = append(all, time.Since(begin))
		}
	}
	slices.Sort(all)
	t.Logf("stop: median %v, worst %v", all[len(all)/2], all[len(all)-1])
	if m := all[len(all)/2]; m > 100*time.Millisecond {
		t.Errorf("median stop takes %v; waiting on a clock somewhere", m)
	}
}

func BenchmarkMembers(b *testing.B) {
	s := New(Options{})
	defer s.Close()
	g, err := s.Start(b.Context(), testSpec(nil, "wait"))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		g.members()
	}
}

func BenchmarkListeners(b *testing.B) {
	for b.Loop() {
		listeners()
	}
}

// TestPortsOfOrphans: a listener that was forked twice and has a session of its
// own is the program's as well.
func TestPortsOfOrphans(t *testing.T) {
	for _, handover := range []string{"auto", "off"} {
		t.Run(handover, func(t *testing.T) {
			out := newOutput(t)
			port := freePort(t)
			number, err := strconv.Atoi(port)
			if err != nil {
				t.Fatal(err)
			}
			s := newTest(t, Options{Handover: handover, Ready: func(ctx context.Context, g *Generation) error {
				for !g.ListensOn(ctx, number) && ctx.Err() == nil {
					idle(time.Millisecond)
				}
				return ctx.Err()
			}})
			g := mustStart(t, s, testSpec(out, "fork-wait", "fork-exit", "daemonize", "listen", "127.0.0.1:"+port))
			receive(t, "ready", g.Ready())
			if got := g.ListeningPorts(); len(got) != 1 || got[0] != number {
				t.Errorf("ports %v", got)
			}
			if g.ListensOn(t.Context(), 1) {
				t.Error("it listens on port 1")
			}
		})
	}
}
