//go:build unix

package place

import (
	"errors"
	"os"
	"syscall"
)

// Hold takes the lock of an open file or directory: shared among those who use
// it, or alone to change or remove it. It does not wait; held tells whether it
// has it. The lock ends with the descriptor, so with its process at the latest.
// An error is of a file system without locks.
func Hold(f *os.File, alone bool) (held bool, err error) {
	how := syscall.LOCK_SH
	if alone {
		how = syscall.LOCK_EX
	}
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		default:
			return false, err
		}
	}
}
