package supervisor

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// needsHandover skips where the kernel or a container forbids it.
func needsHandover(t testing.TB) {
	t.Helper()
	if err := probeSeccomp(); err != nil {
		t.Skipf("no hand-over on this system: %v", err)
	}
}

// TestRestartsUnderLoad is row 23 and the study's table: no connection is
// refused, and none fails where the program can be drained.
func TestRestartsUnderLoad(t *testing.T) {
	needsHandover(t)
	const restarts = 10
	tests := []struct {
		name    string
		program string
		args    []string
		options Options
		cut     bool // Go's own handler of SIGTERM lets a frozen program accept once more
	}{
		{name: "serve", program: "serve", args: []string{"0s"}},
		{name: "slow handler", program: "serve", args: []string{"5ms"}},
		{name: "slow start", program: "serve", args: []string{"0s", "100ms"}},
		{name: "shutdown", program: "graceful", args: []string{"5ms"}},
		{name: "killed", program: "serve", args: []string{"0s"}, options: Options{StopSignal: os.Kill}},
		{name: "overlap", program: "serve", args: []string{"0s"}, options: Options{Overlap: true}},
		{name: "no-getfd", program: "serve", args: []string{"0s"}, options: Options{seams: seams{noGetfd: true}}, cut: true},
		{name: "blocking accept", program: "blocking"},
		{name: "blocking accept, killed", program: "blocking", options: Options{StopSignal: os.Kill}},
		{name: "blocking accept, no-getfd", program: "blocking", options: Options{seams: seams{noGetfd: true}}},
		{name: "forked child", program: "fork-wait", args: nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newTest(t, tt.options)
			out := newOutput(t)
			address := "127.0.0.1:" + freePort(t)
			args := append([]string{address}, tt.args...)
			if tt.program == "fork-wait" {
				args = []string{"serve", address}
			}
			spec := testSpec(out, tt.program, args...)
			g := mustStart(t, s, spec)
			receive(t, "ready", g.Ready())
			load := startLoad(address, 5*time.Millisecond)
			var worst Timing
			for range restarts {
				g, timing, err := s.Replace(t.Context(), spec)
				if err != nil {
					t.Fatal(err)
				}
				if g.over() {
					t.Fatalf("%v, %s", g.Exit(), out.value("error"))
				}
				if timing.Stop+timing.Start+timing.Ready > worst.Stop+worst.Start+worst.Ready {
					worst = timing
				}
				idle(20 * time.Millisecond)
			}
			figures := load.end()
			t.Logf("%s; worst restart: %v", figures, worst)
			if load.refused > 0 || !tt.cut && load.failed > load.late() || len(load.took) < restarts {
				t.Errorf("%s, errors %v", figures, load.failures[:min(10, len(load.failures))])
			}
		})
	}
}

// TestKeepAliveGet: a usual Go client on kept connections sees no error at
// all, because it repeats what is safe to repeat on a connection that is there.
func TestKeepAliveGet(t *testing.T) {
	needsHandover(t)
	s := newTest(t, Options{})
	address := "127.0.0.1:" + freePort(t)
	spec := testSpec(newOutput(t), "serve", address, "1ms")
	g := mustStart(t, s, spec)
	receive(t, "ready", g.Ready())
	stop := make(chan struct{})
	answered := make(chan int, 4)
	for range cap(answered) {
		go func() {
			client := &http.Client{Transport: &http.Transport{}, Timeout: patience}
			defer client.CloseIdleConnections()
			n := 0
			defer func() { answered <- n }()
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for ; ; n++ {
				select {
				case <-stop:
					return
				case <-tick.C:
				}
				res, err := client.Get("http://" + address)
				if err != nil {
					t.Error(err)
					return
				}
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
		}()
	}
	for range 10 {
		if _, _, err := s.Replace(t.Context(), spec); err != nil {
			t.Error(err)
		}
		idle(20 * time.Millisecond)
	}
	close(stop)
	for range cap(answered) {
		if n := <-answered; n < 10 {
			t.Errorf("a client had %d answers only", n)
		}
	}
}

// idle lets the load run between two restarts.
func idle(d time.Duration) { <-time.After(d) }

func TestPlainRefuses(t *testing.T) {
	s := newTest(t, Options{Handover: "off"})
	if s.Handover() != handoverPlain {
		t.Errorf("level %s", s.Handover())
	}
	address := "127.0.0.1:" + freePort(t)
	g := mustStart(t, s, testSpec(nil, "serve", address))
	receive(t, "ready", g.Ready())
	if _, err := get(address); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := get(address); err == nil {
		t.Error("somebody answers")
	}
}

func TestSeveralListeners(t *testing.T) {
	needsHandover(t)
	s := newTest(t, Options{})
	port := freePort(t)
	for i := range 5 {
		out := newOutput(t)
		g, _, err := s.Replace(t.Context(), testSpec(out, "several", port))
		if err != nil || g.over() {
			t.Fatalf("generation %d: %v, %v", i, err, g.Exit())
		}
		if i == 0 {
			out.wait(t, "up") // nothing is held yet: the first listener makes it ready
		}
		for _, host := range []string{"127.0.0.1", "127.0.0.2", "::1"} {
			if _, err := get(net.JoinHostPort(host, port)); err != nil {
				t.Errorf("%s: %v", host, err)
			}
		}
		s.handover.mu.Lock()
		n := len(s.handover.table.sockets)
		s.handover.mu.Unlock()
		if n != 3 {
			t.Errorf("%d sockets held", n)
		}
	}
}

// TestOtherSocketsPass: unix, abstract, UDP and port 0 are the kernel's.
func TestOtherSocketsPass(t *testing.T) {
	needsHandover(t)
	s := newTest(t, Options{})
	port, path := freePort(t), filepath.Join(t.TempDir(), "s")
	for i := range 4 {
		out := newOutput(t)
		g, _, err := s.Replace(t.Context(), testSpec(out, "mixed", port, path))
		if err != nil || g.over() {
			t.Fatalf("generation %d: %v, %v, %s", i, err, g.Exit(), out.value("error"))
		}
		out.wait(t, "up")
		if _, err := get("127.0.0.1:" + port); err != nil {
			t.Error(err)
		}
		for _, name := range []string{path, "@" + path} {
			c, err := net.Dial("unix", name)
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
		}
		c, err := net.Dial("udp", "127.0.0.1:"+port)
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(patience))
		c.Write([]byte("hello"))
		buf := make([]byte, 10)
		if n, err := c.Read(buf); err != nil || string(buf[:n]) != "hello" {
			t.Errorf("udp: %q, %v", buf[:n], err)
		}
		c.Close()
	}
}

// TestBusyConnections: both ways to look see the same.
func TestBusyConnections(t *testing.T) {
	needsHandover(t)
	s := newTest(t, Options{})
	address := "127.0.0.1:" + freePort(t)
	g := mustStart(t, s, testSpec(newOutput(t), "serve", address, patience.String()))
	receive(t, "ready", g.Ready())
	ports := map[int]bool{portOf(address): true}
	look := map[string]func() int{
		"duplicates": func() int { return busyConnections(g.members(), ports) },
		"sock_diag":  func() int { return busyByDiag(g.members(), ports) },
	}
	for name, busy := range look {
		if n := busy(); n != 0 {
			t.Errorf("%s: %d without any connection", name, n)
		}
	}
	for i := range 3 {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		for name, busy := range look {
			waitFor(t, name, func() bool { return busy() == i+1 })
		}
	}
	other := map[int]bool{portOf(address) + 1: true}
	if busyConnections(g.members(), other) != 0 || busyByDiag(g.members(), other) != 0 || busyByDiag([]int{os.Getpid()}, ports) != 0 {
		t.Error("connections of others count")
	}
}

// TestConnectionsWaitWhileNothingLives: the program is dead, connections are not.
func TestConnectionsWaitWhileNothingLives(t *testing.T) {
	needsHandover(t)
	s := newTest(t, Options{})
	address := "127.0.0.1:" + freePort(t)
	spec := testSpec(newOutput(t), "serve", address)
	g := mustStart(t, s, spec)
	receive(t, "ready", g.Ready())
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() { _, err := get(address); answered <- err }()
	// A generation that dies at once does not lose it either.
	if _, _, err := s.Replace(t.Context(), testSpec(nil, "exit", "1")); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-answered:
		t.Fatalf("answered by nobody: %v", err)
	default:
	}
	if _, _, err := s.Replace(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

// TestAddressChanges is the first half of row 25.
func TestAddressChanges(t *testing.T) {
	needsHandover(t)
	s := newTest(t, Options{})
	port := freePort(t)
	next := freePort(t)
	tests := []struct{ address, dial, gone string }{
		{"127.0.0.1:" + port, "127.0.0.1:" + port, ""},
		{"0.0.0.0:" + port, "127.0.0.1:" + port, ""},
		{":" + port, "127.0.0.1:" + port, ""},
		{"[::1]:" + port, "[::1]:" + port, ""},
		{"127.0.0.1:" + next, "127.0.0.1:" + next, "[::1]:" + port},
	}
	for _, tt := range tests {
		out := newOutput(t)
		g, _, err := s.Replace(t.Context(), testSpec(out, "serve", tt.address))
		if err != nil || g.over() {
			t.Fatalf("%s: %v, %v, %s", tt.address, err, g.Exit(), out.value("error"))
		}
		if _, err := get(tt.dial); err != nil {
			t.Errorf("%s: %v", tt.address, err)
		}
		if tt.gone != "" {
			waitFor(t, "the old address to be given up", func() bool { return refused(tt.gone) })
		}
	}
}

func refused(address string) bool {
	c, err := net.Dial("tcp", address)
	if err == nil {
		c.Close()
	}
	return err != nil
}

// TestClosedForGood: what the program does not listen on any more is refused
// after a while, as without us.
func TestClosedForGood(t *testing.T) {
	needsHandover(t)
	s := newTest(t, Options{})
	address := "127.0.0.1:" + freePort(t)
	g := mustStart(t, s, testSpec(newOutput(t), "closes", address))
	receive(t, "ready", g.Ready())
	if refused(address) {
		t.Fatal("refused too early")
	}
	waitFor(t, "the address to be given up", func() bool { return refused(address) })
	if g.over() {
		t.Errorf("program ended: %v", g.Exit())
	}
}

func TestShutDownListenerIsRevived(t *testing.T) {
	needsHandover(t)
	s := newTest(t, Options{})
	address := "127.0.0.1:" + freePort(t)
	for range 4 {
		g, _, err := s.Replace(t.Context(), testSpec(newOutput(t), "shutdown", address))
		if err != nil || g.over() {
			t.Fatalf("%v, %v", err, g.Exit())
		}
		if _, err := get(address); err != nil {
			t.Error(err)
		}
	}
}

func TestEpollBeforeBind(t *testing.T) {
	needsHandover(t)
	for _, o := range []Options{{}, {seams: seams{noGetfd: true}}} {
		s := newTest(t, o)
		port := freePort(t)
		for i := range 5 {
			g, _, err := s.Replace(t.Context(), testSpec(newOutput(t), "epoll", port))
			if err != nil || g.over() {
				t.Fatalf("%v, %v", err, g.Exit())
			}
			if o.seams.noGetfd {
				continue // its registration cannot be repaired; starting is all
			}
			if _, err := get("127.0.0.1:" + port); err != nil {
				t.Errorf("generation %d: %v", i, err)
			}
		}
	}
}

func TestDoubleBindIsStillAnError(t *testing.T) {
	needsHandover(t)
	s := newTest(t, Options{})
	address := "127.0.0.1:" + freePort(t)
	for i := range 3 {
		out := newOutput(t)
		if _, _, err := s.Replace(t.Context(), testSpec(out, "twice", address)); err != nil {
			t.Fatal(err)
		}
		if got := out.wait(t, "second"); got != "true" {
			t.Errorf("generation %d: second bind is EADDRINUSE: %s", i, got)
		}
	}
}

// TestSharedPort: of the sockets of workers that share a port none may be left
// without a worker.
func TestSharedPort(t *testing.T) {
	needsHandover(t)
	s := newTest(t, Options{})
	address := "127.0.0.1:" + freePort(t)
	for range 3 {
		g, _, err := s.Replace(t.Context(), testSpec(newOutput(t), "shared", address))
		if err != nil || g.over() {
			t.Fatalf("%v, %v", err, g.Exit())
		}
		for range 20 {
			if got := body(t, address); got != generationOf(g) {
				t.Fatalf("generation %s answers, %s runs", got, generationOf(g))
			}
		}
	}
}

// TestDaemonDoesNotStealConnections: with a shared socket a leftover would
// answer silently.
func TestDaemonDoesNotStealConnections(t *testing.T) {
	needsHandover(t)
	s := newTest(t, Options{})
	address := "127.0.0.1:" + freePort(t)
	for range 5 {
		g, _, err := s.Replace(t.Context(), testSpec(newOutput(t), "daemonize", "serve", address))
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			if got := body(t, address); got != generationOf(g) {
				t.Fatalf("generation %s answers, %s runs", got, generationOf(g))
			}
		}
	}
}

func generationOf(g *Generation) string {
	v := environment(Spec{Env: []string{}}, g.ID)[0]
	return strings.TrimPrefix(v, generationVariable+"=")
}

func body(t *testing.T, address string) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	res, err := client.Get("http://" + address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestNothingGrows: descriptors, threads and goroutines stay as they are.
func TestNothingGrows(t *testing.T) {
	needsHandover(t)
	s := newTest(t, Options{})
	spec := testSpec(newOutput(t), "serve", "127.0.0.1:"+freePort(t))
	count := func() (fds, threads int) {
		f, _ := os.ReadDir("/proc/self/fd")
		th, _ := os.ReadDir("/proc/self/task")
		return len(f), len(th)
	}
	rounds := 40
	if testing.Short() {
		rounds = 15
	}
	var fds, threads int
	for i := range rounds {
		if _, _, err := s.Replace(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
		if i == 9 {
			fds, threads = count()
		}
	}
	waitFor(t, "descriptors and threads to settle", func() bool {
		f, th := count()
		return f <= fds+2 && th <= threads+4
	})
}

// TestFilterIsOnlyTheProgramsOwn: other threads and children have none.
func TestFilterIsOnlyTheProgramsOwn(t *testing.T) {
	needsHandover(t)
	before := filterMode(os.Getpid())
	s := newTest(t, Options{})
	g := mustStart(t, s, testSpec(newOutput(t), "wait"))
	if got := filterMode(g.Pid); got == 0 {
		t.Error("the program has no filter")
	}
	for range 20 {
		out, err := exec.Command("grep", "Seccomp:", "/proc/self/status").Output()
		if err != nil {
			t.Fatal(err)
		}
		if before == 0 && !strings.HasSuffix(strings.TrimSpace(string(out)), "0") {
			t.Fatalf("another child is filtered: %s", out)
		}
	}
}

// TestLongGoodbye: a program that has closed its listener at SIGTERM and takes
// its time for the last request keeps its address for the next generation.
func TestLongGoodbye(t *testing.T) {
	needsHandover(t)
	s := newTest(t, Options{Grace: patience})
	address := "127.0.0.1:" + freePort(t)
	const last = (sweepIdle + 1) * sweepInterval // longer than any socket is kept for nobody
	g := mustStart(t, s, testSpec(newOutput(t), "graceful", address, last.String()))
	receive(t, "ready", g.Ready())
	long := make(chan error, 1)
	go func() { _, err := get(address); long <- err }()
	waitFor(t, "the request to be in", func() bool { return busyConnections([]int{g.Pid}, map[int]bool{portOf(address): true}) > 0 })
	load := startLoad(address, 20*time.Millisecond)
	if _, timing, err := s.Replace(t.Context(), testSpec(newOutput(t), "serve", address)); err != nil || timing.Stop < sweepIdle*sweepInterval {
		t.Errorf("%v, %v", timing, err)
	}
	if err := <-long; err != nil {
		t.Errorf("the last request: %v", err)
	}
	if figures := load.end(); load.refused > 0 || load.failed > 0 {
		t.Errorf("%s, %v", figures, load.failures)
	}
}

func portOf(address string) (port int) {
	_, text, _ := net.SplitHostPort(address)
	fmt.Sscan(text, &port)
	return port
}

// TestCloseFreesThePort: the held sockets die with us.
func TestCloseFreesThePort(t *testing.T) {
	needsHandover(t)
	s := New(Options{})
	address := "127.0.0.1:" + freePort(t)
	g := mustStart(t, s, testSpec(newOutput(t), "serve", address))
	receive(t, "ready", g.Ready())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if g.Exit().Signal != syscall.SIGTERM {
		t.Errorf("exit %v", g.Exit())
	}
	if _, err := s.Start(context.Background(), testSpec(nil, "wait")); err == nil {
		t.Error("started after close")
	}
}

// TestStandIn is row 24.
func TestStandIn(t *testing.T) {
	needsHandover(t)
	s := newTest(t, Options{})
	address := "127.0.0.1:" + freePort(t)
	spec := testSpec(newOutput(t), "serve", address)
	g := mustStart(t, s, spec)
	receive(t, "ready", g.Ready())
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Explain("app.go:1: syntax <error>")
	request := func(accept string) (int, string) {
		t.Helper()
		r, err := http.NewRequest("POST", "http://"+address, strings.NewReader(strings.Repeat("x", 20_000)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", accept)
		res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		data, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if h := res.Header; h.Get("Retry-After") == "" || h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("header %v", h)
		}
		return res.StatusCode, string(data)
	}
	if code, text := request("*/*"); code != 503 || !strings.Contains(text, "syntax <error>") {
		t.Errorf("text: %d %q", code, text)
	}
	if code, text := request("text/html,*/*"); code != 503 || !strings.Contains(text, "syntax &lt;error&gt;") {
		t.Errorf("page: %d %q", code, text)
	}
	// Another protocol is closed, without a byte.
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	c.Write([]byte("\x16\x03\x01 hello"))
	if data, _ := io.ReadAll(c); len(data) > 0 {
		t.Errorf("other protocol got %q", data)
	}
	// The next generation has all to itself.
	g, _, err = s.Replace(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if got := body(t, address); got != generationOf(g) {
			t.Fatalf("answer %q", got)
		}
	}
}
