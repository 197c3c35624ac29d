//go:build unix && !linux

package supervisor

import (
	"os/signal"
	"syscall"
)

// terminalAtStart: there is no way here to hear of a stopped child without
// taking its exit from package os, so the program has the terminal from the
// start. Ctrl-Z does not stop the job as a whole.
const terminalAtStart = true

// withoutTTOU runs f with SIGTTOU ignored: changing the terminal from the
// background would stop this process.
func withoutTTOU(f func()) {
	signal.Ignore(syscall.SIGTTOU)
	defer signal.Reset(syscall.SIGTTOU)
	f()
}

func (s *Supervisor) childStopped() {}

func stopSelf() { syscall.Kill(syscall.Getpid(), syscall.SIGSTOP) }
