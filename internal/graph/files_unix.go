//go:build unix

package graph

import "syscall"

// openNow is the flag for an open that does not wait for the other end of a pipe.
const openNow = syscall.O_NONBLOCK
