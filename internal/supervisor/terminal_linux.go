package supervisor

import (
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// terminalAtStart: Linux tells when a child stops, so the terminal can wait
// until it is wanted.
const terminalAtStart = false

// withoutTTOU runs f with SIGTTOU blocked for its thread: changing the
// terminal from the background would stop this process.
func withoutTTOU(f func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var block, old unix.Sigset_t
	n := uint(unix.SIGTTOU) - 1
	word := uint(unsafe.Sizeof(block.Val[0])) * 8
	block.Val[n/word] |= 1 << (n % word)
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &block, &old); err != nil {
		return
	}
	defer unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil)
	f()
}

// stopSelf stops this process before it executes another instruction here. A
// signal to the process would stop some thread first and this one a little
// later, after it has continued the program again.
func stopSelf() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	unix.Tgkill(unix.Getpid(), unix.Gettid(), unix.SIGSTOP)
}

// stopSignals are those of our own that the terminal handling wants to see.
var stopSignals = []os.Signal{unix.SIGTSTP}

// childStopped handles every stop in the program's group.
func (s *Supervisor) childStopped() {
	g := s.Current()
	if s.terminal.fd < 0 || g == nil || g.over() {
		return
	}
	for {
		sig, ok := stoppedIn(g.Pid)
		if !ok {
			return
		}
		switch sig {
		case unix.SIGTTIN, unix.SIGTTOU:
			if !s.terminal.ours() {
				s.terminal.suspend() // a background job that wants the terminal stops as a whole
			}
			s.terminal.wanted(g.Pid)
		case unix.SIGTSTP:
			had := s.terminal.takeBack(g.Pid)
			s.terminal.suspend()
			s.resume(g, had)
		}
	}
}

// suspended handles Ctrl-Z while we have the terminal.
func (s *Supervisor) suspended() {
	g := s.Current()
	if g != nil && !g.over() {
		g.signal(unix.SIGTSTP)
	}
	s.terminal.suspend()
	if g != nil && !g.over() {
		s.resume(g, false)
	}
}

func (s *Supervisor) resume(g *Generation, give bool) {
	if give {
		s.terminal.wanted(g.Pid)
	}
	g.signal(syscall.SIGCONT)
}

// stoppedIn takes one stop report of a child in group, without touching exits.
func stoppedIn(group int) (unix.Signal, bool) {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PGID, group, &info, unix.WSTOPPED|unix.WNOHANG, nil)
	if err != nil || info.Signo == 0 {
		return 0, false
	}
	// siginfo_t of a child: signo, errno and code, then aligned for pointers
	// si_pid, si_uid and si_status.
	offset := 12 + unsafe.Sizeof(uintptr(0)) - 4 + 8
	status := *(*int32)(unsafe.Add(unsafe.Pointer(&info), offset))
	return unix.Signal(status), true
}
