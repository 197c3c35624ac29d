package supervisor

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// screen is the other end of a pseudo-terminal.
type screen struct {
	t    *testing.T
	pty  *os.File
	mu   sync.Mutex // guards text
	text bytes.Buffer
	done chan struct{}
}

// onScreen starts a command as leader of a session on a new terminal.
func onScreen(t *testing.T, cmd *exec.Cmd) *screen {
	t.Helper()
	f, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, pty: f, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		buf := make([]byte, 4096)
		for {
			n, err := f.Read(buf)
			s.mu.Lock()
			s.text.Write(buf[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		f.Close()
		<-s.done
	})
	return s
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// wait waits for the n-th occurrence of text.
func (s *screen) wait(text string, n int) {
	s.t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for strings.Count(s.String(), text) < n {
		select {
		case <-tick.C:
		case <-deadline:
			s.t.Fatalf("no %q (%d) on the screen:\n%s", text, n, s)
		}
	}
}

func (s *screen) typeIn(text string) {
	s.t.Helper()
	if _, err := s.pty.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

// front is a front end: it runs a program of the list on the terminal, as
// often as is asked, and tells what it sees.
func front(args []string) {
	times := 1
	if args[0] == "twice" {
		times, args = 2, args[1:]
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, unix.SIGINT)
	before, _ := term.GetState(0)
	s := New(Options{Terminal: true})
	for range times {
		spec := testSpec(nil, args[0], args[1:]...)
		spec.Stdin, spec.Stdout, spec.Stderr = os.Stdin, os.Stdout, os.Stderr
		g, err := s.Start(context.Background(), spec)
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		select {
		case <-g.Done():
		case <-interrupted:
			fmt.Println("front was interrupted")
			s.Stop(context.Background())
		}
		after, _ := term.GetState(0)
		group, _ := unix.IoctlGetInt(0, unix.TIOCGPGRP)
		fmt.Printf("ended: %v, had %v, modes %v, foreground %v\n", g.Exit(), g.HadTerminal(), reflect.DeepEqual(before, after), group == unix.Getpgrp())
	}
	s.Close()
	fmt.Println("front ends")
}

func frontCommand(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), programVariable+"=front")
	return cmd
}

func TestProgramReadsTheTerminal(t *testing.T) {
	s := onScreen(t, frontCommand("twice", "ask"))
	for i := 1; i <= 2; i++ {
		s.wait("question", i)
		s.typeIn("forty two\n")
		s.wait("answer forty two", i)
		s.wait("ended: exit status 0, had true, modes true, foreground true", i)
	}
	s.wait("front ends", 1)
}

func TestTerminalModesAreRestored(t *testing.T) {
	s := onScreen(t, frontCommand("twice", "raw"))
	s.wait("ended: exit status 5, had true, modes true, foreground true", 2)
	s.wait("front ends", 1)
}

func TestServerLeavesCtrlCToUs(t *testing.T) {
	s := onScreen(t, frontCommand("wait"))
	s.wait("up", 1)
	s.typeIn("\x03")
	s.wait("front was interrupted", 1)
	s.wait("ended: signal: terminated, had false, modes true, foreground true", 1)
}

func TestCtrlCIsTheProgramsOwn(t *testing.T) {
	s := onScreen(t, frontCommand("ask"))
	s.wait("question", 1)
	s.typeIn("x") // not yet a line: ask reads, so it has the terminal or will
	waitForGroup(s)
	s.typeIn("\x03")
	s.wait("ended: signal: interrupt, had true, modes true, foreground true", 1)
}

// waitForGroup waits until the program has the terminal: its group is not the
// session leader's.
func waitForGroup(s *screen) {
	s.t.Helper()
	waitFor(s.t, "the program to have the terminal", func() bool {
		group, err := unix.IoctlGetInt(int(s.pty.Fd()), unix.TIOCGPGRP)
		if err != nil {
			return false
		}
		session, err := unix.Getsid(group)
		return err == nil && session != group
	})
}

// TestJobControl types Ctrl-Z and fg at a shell, for a program that has the
// terminal and for one that does not.
func TestJobControl(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash, the shell of this test, is not installed")
	}
	for _, program := range []string{"ask", "wait"} {
		t.Run(program, func(t *testing.T) {
			cmd := exec.Command(bash, "--norc", "--noprofile", "-i")
			cmd.Env = append(os.Environ(), programVariable+"=front", "PS1=ready> ", "TERM=dumb", "BIN="+os.Args[0])
			s := onScreen(t, cmd)
			s.wait("ready> ", 1)
			s.typeIn("$BIN " + program + "\n")
			if program == "ask" {
				s.wait("question", 1)
			} else {
				s.wait("up ", 1)
			}
			for i := 1; i <= 2; i++ {
				if program == "ask" {
					waitFor(t, "the program in the foreground", func() bool { return programHasTerminal(s, cmd.Process.Pid) })
				}
				s.typeIn("\x1a")
				s.wait("Stopped", i)
				s.wait("ready> ", i+1)
				s.typeIn("fg\n")
				waitFor(t, "the shell in the background", func() bool {
					group, err := unix.IoctlGetInt(int(s.pty.Fd()), unix.TIOCGPGRP)
					return err == nil && group != cmd.Process.Pid
				})
			}
			if program == "ask" {
				waitFor(t, "the program in the foreground", func() bool { return programHasTerminal(s, cmd.Process.Pid) })
				s.typeIn("yes\n")
				s.wait("answer yes", 1)
			} else {
				s.typeIn("\x03")
				s.wait("front was interrupted", 1)
			}
			s.wait("foreground true", 1)
			s.wait("front ends", 1)
			s.wait("ready> ", 4)
			s.typeIn("exit\n")
		})
	}
}

// programHasTerminal says whether the terminal belongs to a grandchild of the
// shell: the program, and not the front end.
func programHasTerminal(s *screen, shell int) bool {
	group, err := unix.IoctlGetInt(int(s.pty.Fd()), unix.TIOCGPGRP)
	if err != nil || group == shell {
		return false
	}
	p, ok := readProcess(group)
	return ok && p.parent != shell
}
