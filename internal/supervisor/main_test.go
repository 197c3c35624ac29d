package supervisor

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/term"
)

// programVariable makes the test binary be one of the programs below.
const programVariable = "SUPERVISOR_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if name := os.Getenv(programVariable); name != "" {
		run, ok := programs[name]
		if !ok {
			run, ok = systemPrograms[name]
		}
		if !ok {
			fmt.Fprintln(os.Stderr, "no test program", name)
			os.Exit(2)
		}
		run(os.Args[1:])
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// quickExit keeps programs built with -race from sleeping a second at exit.
const quickExit = "GORACE=atexit_sleep_ms=0"

// programs are what the tests supervise. Each prints a line "up PID" when it
// has set itself up.
var programs = map[string]func(args []string){
	"wait": func([]string) { up(); forever() },
	"exit": func(args []string) {
		code, _ := strconv.Atoi(args[0])
		os.Exit(code)
	},
	"stubborn": func([]string) {
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
		up()
		forever()
	},
	"listen": func(args []string) {
		l, err := net.Listen("tcp", args[0])
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println("address", l.Addr())
		up()
		for {
			c, err := l.Accept()
			if err != nil {
				os.Exit(1)
			}
			io.WriteString(c, os.Getenv(generationVariable))
			c.Close()
		}
	},
	"ask": func([]string) {
		fmt.Print("question\n")
		line, _ := bufio.NewReader(os.Stdin).ReadString('\n')
		fmt.Println("answer", strings.TrimSpace(line))
	},
	"raw": func([]string) {
		if _, err := term.MakeRaw(0); err != nil {
			fmt.Println("error", err)
		}
		os.Exit(5)
	},
	"supervise": func(args []string) {
		spec := testSpec(nil, args[0], args[1:]...)
		spec.Stdout, spec.Stderr = os.Stdout, os.Stderr
		if _, err := New(Options{}).Start(context.Background(), spec); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println("started 1")
		forever()
	},
	// again starts another program of this list in a session of its own, and
	// ends or goes on.
	"daemonize": func(args []string) { again(true, args); up(); forever() },
	"fork-exit": func(args []string) { again(true, args); os.Exit(0) },
	"fork-wait": func(args []string) { again(false, args); up(); forever() },
}

func up() { fmt.Println("up", os.Getpid()) }

func forever() { select {} }

// again starts program args[0] with the rest as arguments and waits for its
// "up", so that tests know it is there.
func again(setsid bool, args []string) {
	cmd := exec.Command(os.Args[0], args[1:]...)
	cmd.Env = append(os.Environ(), programVariable+"="+args[0])
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = sessionOfItsOwn(setsid)
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	cmd.Stdout = io.Writer(w)
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	w.Close()
	buf := make([]byte, 256)
	var text []byte
	for !bytes.Contains(text, []byte("up ")) {
		n, err := r.Read(buf)
		text = append(text, buf[:n]...)
		if err != nil {
			break
		}
	}
	os.Stdout.Write(bytes.ReplaceAll(text, []byte("up "), []byte("child ")))
}

// patience bounds waits that succeed at once when the code is right.
const patience = 20 * time.Second

// waitFor polls until ok holds.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("gave up waiting for %s", what)
		}
	}
}

// output collects what a program prints.
type output struct {
	file *os.File
	path string
}

func newOutput(t *testing.T) *output {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &output{file: f, path: f.Name()}
}

// value returns the last word of the newest line that starts with key.
func (o *output) value(key string) string {
	data, _ := os.ReadFile(o.path)
	found := ""
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, key+" "); ok && strings.HasSuffix(rest, "\n") {
			found = strings.TrimSpace(rest)
		}
	}
	return found
}

func (o *output) wait(t *testing.T, key string) string {
	t.Helper()
	waitFor(t, key+" in the output", func() bool { return o.value(key) != "" })
	return o.value(key)
}

// testSpec runs a program of the list.
func testSpec(o *output, program string, args ...string) Spec {
	spec := Spec{Path: os.Args[0], Args: append([]string{os.Args[0]}, args...), Env: append(os.Environ(), programVariable+"="+program, quickExit)}
	if o != nil {
		spec.Stdout, spec.Stderr = o.file, o.file
	}
	return spec
}

// newTest returns a supervisor that is closed with the test.
func newTest(t *testing.T, o Options) *Supervisor {
	t.Helper()
	o.Log = t.Logf
	s := New(o)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func mustStart(t *testing.T, s *Supervisor, spec Spec) *Generation {
	t.Helper()
	g, err := s.Start(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func receive(t *testing.T, what string, ch <-chan struct{}) {
	t.Helper()
	select {
	case <-ch:
	case <-time.After(patience):
		t.Fatalf("gave up waiting for %s", what)
	}
}
