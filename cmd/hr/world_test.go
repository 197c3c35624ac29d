//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/creack/pty"
	"github.com/rogpeppe/go-internal/testscript"
)

// world is what a script has beyond files: its running hrs and its daemon.
type world struct {
	env      *testscript.Env
	runDir   string // parent of HR_RUNTIME_DIR
	sessions map[string]*session
	current  *session
	probes   int
	killed   time.Time // the last hrd-kill
	lastLine time.Time // when the script's last line was there
	ends     []func()  // undo what the script did to the machine, last first
}

type worldKey struct{}

func newWorld(env *testscript.Env, runDir string) *world {
	return &world{env: env, runDir: runDir, sessions: map[string]*session{}}
}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

// session is one hr in the background. Its screen goes to a file, as to a pipe
// that is always read.
type session struct {
	name   string
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	out    string // file of the program's standard output
	err    string // file of the screen
	seen   int    // bytes of err that the script has looked at
	done   chan struct{}
	exited error
}

// begin starts hr with the words of the script in its present environment.
func (w *world) begin(ts *testscript.TestScript, name, ignoring string, tty, keys bool, args []string) (*session, error) {
	vars, args := splitVars(args)
	s := &session{name: name, done: make(chan struct{})}
	dir := ts.Getenv("WORK")
	s.out, s.err = filepath.Join(dir, name+".out"), filepath.Join(dir, name+".err")
	stdout, err := os.Create(s.out)
	if err != nil {
		return nil, err
	}
	defer stdout.Close()
	stderr, err := os.Create(s.err)
	if err != nil {
		return nil, err
	}
	if tty {
		if stderr, err = terminalInto(stderr); err != nil {
			return nil, err
		}
	}
	defer stderr.Close()
	s.cmd = exec.Command(filepath.Join(ts.Getenv("BIN"), "hr"), args...)
	if ignoring != "" {
		s.cmd = exec.Command("sh", append([]string{"-c", `trap "" ` + ignoring + `; exec "$0" "$@"`}, s.cmd.Args...)...)
	}
	s.cmd.Dir = ts.MkAbs(".")
	s.cmd.Env = append(environ(ts), vars...)
	s.cmd.Stdout, s.cmd.Stderr = stdout, stderr
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if keys {
		master, tty, err := pty.Open()
		if err != nil {
			return nil, err
		}
		defer tty.Close()
		s.stdin, s.cmd.Stdin = master, tty
		s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	} else if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.exited = s.cmd.Wait()
		close(s.done)
	}()
	w.sessions[name], w.current = s, s
	return s, nil
}

// terminalInto returns a terminal whose output goes to the file until it hangs
// up.
func terminalInto(file *os.File) (*os.File, error) {
	master, tty, err := pty.Open()
	if err != nil {
		return nil, err
	}
	pty.Setsize(master, &pty.Winsize{Rows: 24, Cols: 80})
	go func() {
		io.Copy(file, master) // ends with an error when nobody has the terminal
		master.Close()
		file.Close()
	}()
	return tty, nil
}

// environ is the script's environment as env has it now.
func environ(ts *testscript.TestScript) []string {
	var out []string
	seen := map[string]bool{}
	for _, kv := range worldOf(ts).env.Vars {
		name, _, _ := strings.Cut(kv, "=")
		if !seen[name] {
			seen[name] = true
			out = append(out, name+"="+ts.Getenv(name))
		}
	}
	return append(out, "PWD="+ts.MkAbs("."))
}

// splitVars separates leading NAME=VALUE words from a command, as a shell does.
func splitVars(args []string) (vars, rest []string) {
	for len(args) > 0 && varWord.MatchString(args[0]) {
		vars, args = append(vars, args[0]), args[1:]
	}
	return vars, args
}

var varWord = regexp.MustCompile(`^[A-Z_]+=`)

func (s *session) over() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// code returns the exit code, 128 and the signal's number if one ended it.
func (s *session) code() int {
	var e *exec.ExitError
	if !errors.As(s.exited, &e) {
		return 0
	}
	if ws := e.Sys().(syscall.WaitStatus); ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return e.ExitCode()
}

// nextLine returns the next line of the screen that is about no probe.
func (s *session) nextLine() (string, error) {
	for {
		line, err := s.anyLine()
		if err != nil || !probeLine.MatchString(line) {
			return line, err
		}
	}
}

// probeLine is what hr says of the files that cmdQuiet writes.
var probeLine = regexp.MustCompile(`probe\d+\.txt`)

// anyLine returns the next line of the screen, an error if hr ends without one
// or patience does.
func (s *session) anyLine() (string, error) {
	var line string
	ok := poll(func() bool {
		over := s.over() // looked at first: what it wrote before its end counts
		data, err := os.ReadFile(s.err)
		if err != nil || len(data) <= s.seen {
			return over
		}
		text, _, whole := bytes.Cut(data[s.seen:], []byte("\n"))
		if !whole {
			return over
		}
		line = strings.TrimSuffix(string(text), "\r")
		s.seen += len(text) + 1
		return true
	})
	switch {
	case !ok:
		return "", errors.New("no further line")
	case line == "" && s.over():
		return "", fmt.Errorf("hr has ended with exit code %d", s.code())
	}
	return line, nil
}

// hasLine tells whether a whole line waits to be read.
func (s *session) hasLine() bool {
	data, err := os.ReadFile(s.err)
	return err == nil && len(data) > s.seen && bytes.IndexByte(data[s.seen:], '\n') >= 0
}

// kill ends the session whatever it does, and waits.
func (s *session) kill() {
	s.stdin.Close()
	if s.over() {
		return
	}
	s.cmd.Process.Signal(syscall.SIGTERM)
	if !poll(s.over) {
		s.cmd.Process.Kill()
		<-s.done
	}
}

// failer is the part of *testing.T that is needed after a script's end.
type failer interface {
	Errorf(format string, args ...any)
	Logf(format string, args ...any)
	Failed() bool
}

// end leaves nothing behind, and fails the script if something would stay.
func (w *world) end(t failer) {
	for _, s := range w.sessions {
		s.kill()
		if data, err := os.ReadFile(s.err); err == nil && t.Failed() {
			t.Logf("screen of %s:\n%s", s.name, data)
		}
	}
	for i := len(w.ends) - 1; i >= 0; i-- {
		w.ends[i]()
	}
	run := filepath.Join(w.runDir, "r")
	os.Chmod(run, 0o700)
	stop := exec.Command(filepath.Join(w.env.Getenv("BIN"), "hrd"), "stop", "--now")
	stop.Env = append(os.Environ(), "HR_RUNTIME_DIR="+run, quickExit)
	if out, err := stop.CombinedOutput(); err != nil {
		t.Errorf("hrd stop: %v\n%s", err, out)
	}
	if !poll(func() bool { return len(leftProcesses(run)) == 0 }) {
		t.Errorf("processes left behind:\n%s", strings.Join(leftProcesses(run), "\n"))
	}
	log, _ := os.ReadFile(filepath.Join(run, "hrd.log"))
	if bytes.Contains(log, []byte("DATA RACE")) || bytes.Contains(log, []byte("panic")) || t.Failed() {
		t.Errorf("log of hrd:\n%s", log)
	}
	for _, s := range w.sessions {
		if data, _ := os.ReadFile(s.err); bytes.Contains(data, []byte("DATA RACE")) {
			t.Errorf("data race in hr:\n%s", data)
		}
	}
	os.RemoveAll(w.runDir)
}
