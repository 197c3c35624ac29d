//go:build !windows

package main

import (
	"os"
	"syscall"
)

// stopSignals end hr: the terminal's interrupt, a service manager's request and
// a terminal that is gone.
var stopSignals = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}

// signalCode is the shell's exit code for a process that a signal ended.
func signalCode(sig os.Signal) int {
	if s, ok := sig.(syscall.Signal); ok {
		return 128 + int(s)
	}
	return exitInterrupted
}
