package supervisor

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestActivation(t *testing.T) {
	address, path := "127.0.0.1:"+freePort(t), filepath.Join(t.TempDir(), "socket")
	out := newOutput(t)
	s := newTest(t, Options{Sockets: []string{address, "unix:" + path}, Handover: "off"})
	spec := testSpec(out, "activated")
	g := mustStart(t, s, spec)
	receive(t, "ready", g.Ready())
	load := startLoad(address, 5*time.Millisecond)
	for range 5 {
		g, _, err := s.Replace(t.Context(), spec)
		if err != nil || g.over() {
			t.Fatalf("%v, %v, %s", err, g.Exit(), out.value("error"))
		}
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		idle(10 * time.Millisecond)
	}
	figures := load.end()
	t.Log(figures)
	if load.refused > 0 {
		t.Error(figures)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Errorf("%s is left", path)
	}
}

func TestActivationOfATakenAddress(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := newTest(t, Options{Sockets: []string{l.Addr().String()}})
	if _, err := s.Start(t.Context(), testSpec(nil, "wait")); err == nil {
		t.Error("started without its socket")
	}
}

// TestPortOwner is the second half of row 25.
func TestPortOwner(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if pid, name, ok := PortOwner(port); !ok || pid != os.Getpid() || name == "" {
		t.Errorf("owner of %d is %d %q %v, we are %d", port, pid, name, ok, os.Getpid())
	}
	l.Close()
	if pid, name, ok := PortOwner(port); ok {
		t.Errorf("owner of a free port is %d %q", pid, name)
	}
}

func TestReadyByWord(t *testing.T) {
	said := make(chan int, 1)
	s := newTest(t, Options{Ready: func(ctx context.Context, g *Generation) error {
		select {
		case said <- g.Pid:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}})
	g, _, err := s.Replace(t.Context(), testSpec(nil, "wait"))
	if err != nil {
		t.Fatal(err)
	}
	receive(t, "ready", g.Ready())
	if pid := <-said; pid != g.Pid {
		t.Errorf("asked about %d, program is %d", pid, g.Pid)
	}
}

func TestNeverReady(t *testing.T) {
	wrong := errors.New("status 500")
	s := newTest(t, Options{Ready: func(context.Context, *Generation) error { return wrong }})
	g, _, err := s.Replace(t.Context(), testSpec(nil, "wait"))
	if !errors.Is(err, wrong) {
		t.Errorf("replace: %v", err)
	}
	select {
	case <-g.Ready():
		t.Error("ready all the same")
	default:
	}
	if g.over() {
		t.Error("the program was ended")
	}
}
