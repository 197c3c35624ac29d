package protocol

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// CheckPeer returns an error unless the process at the other end runs as this
// user. The kernel recorded that user when the peer called connect or listen.
func CheckPeer(conn net.Conn) error {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return errors.New("check peer: not a socket")
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return fmt.Errorf("check peer: %w", err)
	}
	var uid int
	var uidErr error
	if err := raw.Control(func(fd uintptr) { uid, uidErr = peerUID(int(fd)) }); err != nil {
		return fmt.Errorf("check peer: %w", err)
	}
	if uidErr != nil {
		return fmt.Errorf("check peer: %w", uidErr)
	}
	if uid != os.Geteuid() {
		return &Error{CodeUnsafe, fmt.Sprintf("the other end of the socket is user %d", uid),
			"set HR_RUNTIME_DIR to a directory of your own"}
	}
	return nil
}

// PeerPid returns the process id of the other end, 0 where the system does not
// tell.
func PeerPid(conn net.Conn) int {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return 0
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return 0
	}
	pid := 0
	if raw.Control(func(fd uintptr) { pid = peerPID(int(fd)) }) != nil {
		return 0
	}
	return pid
}
