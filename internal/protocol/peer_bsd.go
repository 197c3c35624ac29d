//go:build darwin || freebsd

package protocol

import "golang.org/x/sys/unix"

// solLocal is SOL_LOCAL of sys/un.h, the level of options of local sockets.
const solLocal = 0

// peerUID reads LOCAL_PEERCRED, see unix(4).
func peerUID(fd int) (int, error) {
	cred, err := unix.GetsockoptXucred(fd, solLocal, unix.LOCAL_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(cred.Uid), nil
}

// peerPID is not known here.
func peerPID(int) int { return 0 }
