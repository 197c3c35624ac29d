package protocol

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/windows"
)

// absent tells a missing daemon by its missing or deserted socket. Connecting
// to a path that does not exist is also reported as refused or unreachable.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, windows.WSAECONNREFUSED) ||
		errors.Is(err, windows.WSAENETUNREACH)
}
