package supervisor

import (
	"flag"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// languageRestarts is small for a test run; make stress asks for more.
var languageRestarts = flag.Int("language-restarts", 5, "restarts of each program of TestLanguages")

// TestLanguages restarts servers that were not written for this, in several
// languages and with several kinds of sockets, under a load of new connections.
// Which of them can be drained does not matter: nothing is refused and nothing
// fails.
func TestLanguages(t *testing.T) {
	needsHandover(t)
	goProgram := func(name string, args ...string) func(*testing.T, string) Spec {
		return func(t *testing.T, port string) Spec {
			args := append([]string{}, args...)
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "PORT", port)
			}
			return testSpec(newOutput(t), name, args...)
		}
	}
	python := func(script string) func(*testing.T, string) Spec {
		return func(t *testing.T, port string) Spec {
			return interpreted(t, pythonProgram(t), "testdata/languages/"+script, port)
		}
	}
	tests := []struct {
		name  string
		spec  func(t *testing.T, port string) Spec
		hosts []string // where it serves, 127.0.0.1 if empty
		also  func(t *testing.T, port string)
	}{
		{name: "Go", spec: goProgram("hello", "127.0.0.1:PORT")},
		{name: "Go, dual stack", spec: goProgram("hello", ":PORT"), hosts: []string{"127.0.0.1", "::1"}},
		{name: "Python, threads and poll", spec: python("threads.py")},
		{name: "Python, asyncio", spec: python("events.py")},
		{name: "Node", spec: func(t *testing.T, port string) Spec {
			return interpreted(t, installed(t, "node"), "testdata/languages/server.js", port)
		}},
		{name: "Java", spec: javaServer},
		{name: "forked child, Go", spec: goProgram("fork-wait", "serve", "127.0.0.1:PORT")},
		{name: "forked child, Python", spec: python("fork.py")},
		{name: "several listeners", spec: goProgram("several", "PORT"), hosts: []string{"127.0.0.1", "127.0.0.2", "::1"}},
		{name: "unix and UDP beside TCP", spec: python("mixed.py"), also: echoes},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			port := freePort(t)
			spec := tt.spec(t, port)
			s := newTest(t, Options{})
			g := mustStart(t, s, spec)
			receive(t, "ready", g.Ready())
			hosts := tt.hosts
			if hosts == nil {
				hosts = []string{"127.0.0.1"}
			}
			var loads []*load
			var addresses []string
			for _, h := range hosts {
				address := net.JoinHostPort(h, port)
				addresses = append(addresses, address)
				waitFor(t, address, func() bool { _, err := get(address); return err == nil }) // the first listener makes a first generation ready
				loads = append(loads, startLoad(address, 10*time.Millisecond))
			}
			var all restarts
			for range *languageRestarts {
				r := restart{began: time.Now()}
				g, timing, err := s.Replace(t.Context(), spec)
				if err != nil {
					t.Fatal(err)
				}
				if g.over() {
					t.Fatal(g.Exit())
				}
				r.Timing = timing
				all = append(all, r)
				if tt.also != nil {
					tt.also(t, port)
				}
				for _, a := range addresses { // behind all that waited meanwhile
					if _, err := get(a); err != nil {
						t.Errorf("generation %d at %s: %v", g.ID, a, err)
					}
				}
				idle(30 * time.Millisecond)
			}
			for i, l := range loads {
				figures := l.end()
				t.Logf("%s: %s", addresses[i], figures)
				if l.refused > 0 || l.failed > l.late() || len(l.took) < *languageRestarts {
					t.Errorf("%s: %s", addresses[i], figures)
					for _, f := range l.failures[:min(10, len(l.failures))] {
						t.Logf("%v; %s", f, all.around(f))
					}
				}
			}
		})
	}
}

// installed finds an interpreter.
func installed(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed; make interpreters installs it", name)
	}
	return path
}

var findPython = sync.OnceValues(func() (string, error) {
	// What is found first may be a script that chooses a version.
	out, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	return strings.TrimSpace(string(out)), err
})

func pythonProgram(t *testing.T) string {
	t.Helper()
	path, err := findPython()
	if err != nil {
		t.Skip("python3 is not installed; make interpreters installs it")
	}
	return path
}

func interpreted(t *testing.T, path string, args ...string) Spec {
	out := newOutput(t)
	return Spec{Path: path, Args: append([]string{path}, args...), Stdout: out.file, Stderr: out.file}
}

// javaServer compiles first: the start of each generation is long enough.
func javaServer(t *testing.T, port string) Spec {
	java, javac, classes := installed(t, "java"), installed(t, "javac"), t.TempDir()
	if out, err := exec.Command(javac, "-d", classes, filepath.Join("testdata", "languages", "Server.java")).CombinedOutput(); err != nil {
		t.Fatalf("javac: %v\n%s", err, out)
	}
	return interpreted(t, java, "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", classes, "Server", port)
}

// echoes: the sockets that are the kernel's work too, in each generation.
func echoes(t *testing.T, port string) {
	t.Helper()
	for _, a := range []struct{ network, address string }{{"udp", "127.0.0.1:" + port}, {"unix", "@supervisor-test-" + port}} {
		waitFor(t, a.network+" to answer", func() bool {
			c, err := net.Dial(a.network, a.address)
			if err != nil {
				return false
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(time.Second))
			c.Write([]byte("hello"))
			buf := make([]byte, 16)
			n, err := c.Read(buf)
			return err == nil && string(buf[:n]) == "hello"
		})
	}
}
