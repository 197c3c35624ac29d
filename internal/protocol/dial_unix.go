//go:build unix

package protocol

import (
	"errors"
	"syscall"
)

// absent tells a missing daemon by its missing or deserted socket.
func absent(err error) bool {
	return errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED)
}
