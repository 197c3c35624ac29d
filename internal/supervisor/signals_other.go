//go:build unix && !linux

package supervisor

import "syscall"

// ignoredByKernel is what the runtime knows, here.
func ignoredByKernel(syscall.Signal) bool { return false }
