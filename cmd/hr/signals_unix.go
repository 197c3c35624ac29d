//go:build !windows

package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// stopSignals end hr: the terminal's interrupt and quit, a service manager's
// request and a terminal that is gone.
var stopSignals = []os.Signal{os.Interrupt, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP}

// signalCode is the shell's exit code for a process that a signal ended.
func signalCode(sig os.Signal) int {
	if s, ok := sig.(syscall.Signal); ok {
		return 128 + int(s)
	}
	return exitInterrupted
}

// parseSignal reads a signal's name, with or without SIG, or its number.
func parseSignal(name string) (os.Signal, bool) {
	if n, err := strconv.ParseUint(name, 10, 8); err == nil {
		s := syscall.Signal(n)
		return s, unix.SignalName(s) != ""
	}
	s := unix.SignalNum("SIG" + strings.TrimPrefix(strings.ToUpper(name), "SIG"))
	if s == 0 {
		return nil, false
	}
	return s, true
}

// signalProcess sends a signal to one process that is our child and was not
// waited for.
func signalProcess(pid int, sig os.Signal) error {
	return syscall.Kill(pid, sig.(syscall.Signal))
}
