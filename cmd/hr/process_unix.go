//go:build !windows

package main

import (
	"errors"
	"syscall"
)

// processLives tells whether there is a process of that id (kill(2), signal 0).
func processLives(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
