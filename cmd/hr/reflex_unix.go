//go:build unix

package main

import (
	"os"
	"syscall"

	"github.com/creack/pty"
	"golang.org/x/term"

	"github.com/hotreflex/hr/internal/supervisor"
)

// resizeSignals announce a new size of our terminal.
var resizeSignals = []os.Signal{syscall.SIGWINCH}

// openOutput returns both ends of a terminal: programs write lines in time and
// in colour to one, as they do under reflex.
func openOutput() (ours, theirs *os.File, err error) { return pty.Open() }

// resizeOutput gives a command's terminal the size of ours, if we have one.
func resizeOutput(from, to *os.File) {
	if term.IsTerminal(int(from.Fd())) {
		pty.InheritSize(from, to) // the command then wraps its lines elsewhere, nothing more
	}
}

// stdin is a terminal that nobody types at, as under reflex.
func (s *reflexStream) stdin(end *os.File) *os.File { return end }

// interruptSignal is what asks a command to end. Where SIGINT is ignored, as in
// the background of a script, commands inherit that and would not hear it.
func interruptSignal() os.Signal {
	if len(supervisor.Heard(os.Interrupt)) == 0 {
		return syscall.SIGTERM
	}
	return os.Interrupt
}

// interruptGroup interrupts all processes of a command.
func interruptGroup(pid int) { syscall.Kill(-pid, interruptSignal().(syscall.Signal)) } // ESRCH: they are gone

// hangUpGroup does what the end of a session does to those left in it.
func hangUpGroup(pid int) { syscall.Kill(-pid, syscall.SIGHUP) }
