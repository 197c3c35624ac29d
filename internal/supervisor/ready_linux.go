package supervisor

import (
	"encoding/binary"
	"slices"

	"golang.org/x/sys/unix"
)

const canSeeListeners = true

const (
	// From linux/sock_diag.h, linux/inet_diag.h and linux/unix_diag.h.
	sockDiagByFamily = 20
	tcpListen        = 10 // TCP_LISTEN of net/tcp_states.h; unix sockets use it too
	inetDiagRequest  = 56 // sizeof(struct inet_diag_req_v2)
	inetDiagInode    = 68 // offset of idiag_inode in struct inet_diag_msg
	unixDiagRequest  = 24 // sizeof(struct unix_diag_req)
	unixDiagInode    = 4  // offset of udiag_ino in struct unix_diag_msg
)

// listeners returns the inodes of all listening stream sockets that the kernel
// lists, nil when it does not (no sock_diag). It asks for sockets in state
// LISTEN only: /proc/net/tcp would list every connection too.
func listeners() map[uint64]bool {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	inodes := map[uint64]bool{}
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6, unix.AF_UNIX} {
		dumpListeners(fd, family, inodes) // a family the kernel lacks has none
	}
	return inodes
}

// dumpListeners adds the inodes of listening sockets of one family.
func dumpListeners(fd int, family uint8, inodes map[uint64]bool) {
	inode := inetDiagInode
	if family == unix.AF_UNIX {
		inode = unixDiagInode
	}
	dumpSockets(fd, family, 1<<tcpListen, 0, func(message []byte) {
		if len(message) >= inode+4 {
			inodes[uint64(binary.NativeEndian.Uint32(message[inode:]))] = true
		}
	})
}

// dumpSockets visits the answers about all sockets of a family in the given
// states. extensions asks for attributes behind each.
func dumpSockets(fd int, family uint8, states uint32, extensions uint8, visit func(message []byte)) {
	size := inetDiagRequest
	if family == unix.AF_UNIX {
		size = unixDiagRequest
	}
	req := make([]byte, unix.SizeofNlMsghdr+size)
	ne := binary.NativeEndian
	ne.PutUint32(req[0:], uint32(len(req)))
	ne.PutUint16(req[4:], sockDiagByFamily)
	ne.PutUint16(req[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	req[unix.SizeofNlMsghdr] = family
	if family != unix.AF_UNIX {
		req[unix.SizeofNlMsghdr+1] = unix.IPPROTO_TCP // lists MPTCP's listeners too
		req[unix.SizeofNlMsghdr+2] = extensions
	}
	ne.PutUint32(req[unix.SizeofNlMsghdr+4:], states)
	if err := unix.Sendto(fd, req, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return
	}
	buf := make([]byte, 32<<10) // the kernel fills at most this much per answer
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err != nil || n < unix.SizeofNlMsghdr {
			return
		}
		if !eachMessage(buf[:n], visit) {
			return
		}
	}
}

// eachMessage visits the messages of one answer; false when no further answer
// follows.
func eachMessage(b []byte, visit func(message []byte)) (more bool) {
	ne := binary.NativeEndian
	for len(b) >= unix.SizeofNlMsghdr {
		length, kind := int(ne.Uint32(b)), ne.Uint16(b[4:])
		if length < unix.SizeofNlMsghdr || length > len(b) || kind == unix.NLMSG_DONE || kind == unix.NLMSG_ERROR {
			return false
		}
		visit(b[unix.SizeofNlMsghdr:length])
		b = b[min(len(b), (length+unix.NLMSG_ALIGNTO-1)&^(unix.NLMSG_ALIGNTO-1)):]
	}
	return true
}

// isListening says whether a process of g has a listening socket.
func (g *Generation) isListening() bool {
	all := listeners()
	if len(all) == 0 {
		return false
	}
	has := func(pid int) bool {
		for _, inode := range socketDescriptors(pid) {
			if all[inode] {
				return true
			}
		}
		return false
	}
	return has(g.Pid) || slices.ContainsFunc(g.members(), has)
}
