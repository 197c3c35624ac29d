package supervisor

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// requestWait is the time a client has to send its request's header, and
	// again to take the answer.
	requestWait = time.Second
	// requestMax bounds what is read of it. Cookies of all that was ever
	// developed on localhost come along.
	requestMax = 32 << 10
)

// visitor is a client of the stand-in. Its descriptor does not block.
type visitor struct {
	fd       int
	local    bool // the other end is on this machine
	request  []byte
	answer   []byte // what is still to be written
	answered bool   // answer was made
	said     bool   // answer was written: the rest of a body is waited for
	deadline time.Time
}

func newVisitor(fd int, from unix.Sockaddr) *visitor {
	return &visitor{fd: fd, local: isLocal(fd, from), deadline: time.Now().Add(requestWait)}
}

func (v *visitor) close() { unix.Close(v.fd) }

// wants is what poll is to wait for.
func (v *visitor) wants() int16 {
	if v.answered && !v.said {
		return unix.POLLOUT
	}
	return unix.POLLIN
}

// proceed reads and writes as far as that goes; true when the visit is over.
func (v *visitor) proceed(answer func(request []byte, whole, local bool) []byte) (over bool) {
	buf := make([]byte, 4<<10) // as much as a request usually has
	for !v.answered || v.said {
		n, err := unix.Read(v.fd, buf)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
			return false
		case v.said && (err != nil || n == 0):
			return true
		case v.said:
			return false // poll comes back to it: a long body is not to hold others up
		case err != nil:
			return true
		}
		v.request = append(v.request, buf[:n]...)
		if !startsLikeHTTP(v.request) {
			return true // nothing, or another protocol
		}
		whole := bytes.Contains(v.request, headEnd)
		if whole || n == 0 || len(v.request) >= requestMax {
			v.reply(answer(v.request, whole, v.local))
		}
	}
	return v.write()
}

// late is for who has used up its time. Who began to speak is answered.
func (v *visitor) late(answer func(request []byte, whole, local bool) []byte) (over bool) {
	if v.answered || !startsLikeHTTP(v.request) {
		return true
	}
	v.reply(answer(v.request, false, v.local))
	return v.write()
}

func (v *visitor) reply(answer []byte) {
	v.answer, v.answered = answer, true
	v.deadline = time.Now().Add(requestWait)
}

func (v *visitor) write() (over bool) {
	for len(v.answer) > 0 {
		n, err := unix.Write(v.fd, v.answer)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
			return false
		case err != nil:
			return true
		}
		v.answer = v.answer[n:]
	}
	// Without this, unread bytes of a body would turn the answer into a reset.
	unix.Shutdown(v.fd, unix.SHUT_WR)
	v.said = true
	return false
}

// isLocal says whether a client is on this machine, by its address. One of a
// Unix socket must be of our own user: what it passes on may come from anywhere
// if it is a proxy.
func isLocal(fd int, from unix.Sockaddr) bool {
	switch a := from.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(a.Addr).IsLoopback()
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(a.Addr).Unmap().IsLoopback()
	case *unix.SockaddrUnix:
		peer, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
		return err == nil && int(peer.Uid) == os.Geteuid()
	}
	return false
}
