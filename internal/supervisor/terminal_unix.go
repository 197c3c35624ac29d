//go:build unix

package supervisor

import (
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// The program has a process group of its own, and a terminal serves one group:
// the others stop with SIGTTIN when they read it and with SIGTTOU when they
// change its modes. That is the sign that the program wants the terminal, and
// only then it is handed over. So a server leaves Ctrl-C and the keys to us,
// and an editor, a prompt or a shell gets all of it.

// terminal is the controlling terminal on standard input, if there is one.
type terminal struct {
	fd     int // -1 without a terminal
	notify func(bool)

	mu    sync.Mutex // guards fields below
	saved *term.State
	owner int  // group of the generation that has it, 0 when it is ours
	habit bool // the newest generation that could ask for it did
}

func newTerminal(o Options) *terminal {
	t := &terminal{fd: -1, notify: o.OnTerminal}
	if t.notify == nil {
		t.notify = func(bool) {}
	}
	if !o.Terminal || !term.IsTerminal(int(os.Stdin.Fd())) {
		return t
	}
	if _, err := unix.IoctlGetInt(int(os.Stdin.Fd()), unix.TIOCGPGRP); err != nil {
		return t // not our controlling terminal: nobody is stopped by it
	}
	t.fd = int(os.Stdin.Fd())
	return t
}

// ours says whether this process is in the foreground.
func (t *terminal) ours() bool {
	group, err := unix.IoctlGetInt(t.fd, unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// started gives the terminal to a new generation if the last one wanted it.
func (t *terminal) started(group int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fd >= 0 && (t.habit || terminalAtStart) {
		t.give(group)
	}
}

// wanted gives the terminal to a group that was stopped for it.
func (t *terminal) wanted(group int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fd < 0 {
		return
	}
	t.habit = true
	t.give(group)
}

// give makes group the foreground; the caller holds mu. It does nothing while
// we are in the background ourselves.
func (t *terminal) give(group int) {
	if !t.ours() {
		return
	}
	if t.owner == 0 {
		t.notify(true)
	}
	if state, err := term.GetState(t.fd); err == nil {
		t.saved = state
	}
	if err := unix.IoctlSetPointerInt(t.fd, unix.TIOCSPGRP, group); err != nil {
		t.notify(false)
		return // the group is gone
	}
	t.owner = group
	// What touched the terminal before this was stopped; the others ignore it.
	syscall.Kill(-group, syscall.SIGCONT)
}

// takeBack makes us the foreground if group has the terminal, and restores
// its modes. It says whether group had it.
func (t *terminal) takeBack(group int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fd < 0 || t.owner != group {
		return false
	}
	t.owner = 0
	// The shell may have put our whole job in the background meanwhile; then
	// the terminal is not ours to take.
	if now, err := unix.IoctlGetInt(t.fd, unix.TIOCGPGRP); err == nil && now == group {
		withoutTTOU(func() {
			if unix.IoctlSetPointerInt(t.fd, unix.TIOCSPGRP, unix.Getpgrp()) == nil && t.saved != nil {
				term.Restore(t.fd, t.saved)
			}
		})
	}
	t.notify(false)
	return true
}

// suspend stops our own job as Ctrl-Z would, and returns when it is continued.
// Without a shell that could continue it, it does nothing.
func (t *terminal) suspend() {
	parent := unix.Getppid()
	session, err := unix.Getsid(0)
	if err != nil {
		return
	}
	parentSession, err := unix.Getsid(parent)
	if err != nil || parentSession != session {
		return
	}
	if group, err := unix.Getpgid(parent); err != nil || group == unix.Getpgrp() {
		return
	}
	stopSelf()
}
