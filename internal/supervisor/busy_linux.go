package supervisor

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Which connections of the program wait for its answer: by a duplicate of each
// of its sockets, or, where those cannot be had, by what the kernel tells of
// all connections.

const (
	// freshMillis is the age below which a connection without traffic may be
	// about to send its first request; it is long for a client on a busy machine.
	freshMillis = 50
	// tickMillis: below this age the kernel's clock may not tell which came
	// first, the request or the answer.
	tickMillis = 12

	established, closeWait = 1, 8 // net/tcp_states.h

	// From linux/inet_diag.h.
	inetDiagInfo    = 2  // INET_DIAG_INFO: struct tcp_info follows
	inetDiagPort    = 4  // offset of id.idiag_sport in struct inet_diag_msg
	inetDiagMessage = 72 // sizeof(struct inet_diag_msg)
)

// busyConnections counts connections to one of the ports that wait for an
// answer.
func busyConnections(pids []int, ports map[int]bool) (busy int) {
	for _, pid := range pids {
		handle, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			continue
		}
		for fd := range socketDescriptors(pid) {
			s, err := unix.PidfdGetfd(handle, fd, 0)
			if err != nil {
				continue
			}
			if connectionBusy(s, ports) {
				busy++
			}
			unix.Close(s)
		}
		unix.Close(handle)
	}
	return busy
}

func connectionBusy(fd int, ports map[int]bool) bool {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return false
	}
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		if !ports[a.Port] {
			return false
		}
	case *unix.SockaddrInet6:
		if !ports[a.Port] {
			return false
		}
	default:
		return false
	}
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	return err == nil && awaitsAnswer(info)
}

func awaitsAnswer(info *unix.TCPInfo) bool {
	if info.State != established && info.State != closeWait {
		return false
	}
	// Ages in ms: what was received later than sent is not answered. A request
	// that waited in the queue is as old as its connection, hence the bytes.
	switch {
	case info.Bytes_received == 0:
		return info.Last_data_recv < freshMillis
	case info.Bytes_sent == 0, info.Last_data_recv < info.Last_data_sent:
		return true
	default:
		return info.Last_data_recv == info.Last_data_sent && info.Last_data_recv < tickMillis
	}
}

// busyByDiag counts the same without taking anything: sock_diag(7) tells the
// state of every connection of this machine, and by its inode whose it is. One
// that nobody has accepted yet has none.
func busyByDiag(pids []int, ports map[int]bool) (busy int) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	waiting := map[uint64]bool{}
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		dumpSockets(fd, family, 1<<established|1<<closeWait, 1<<(inetDiagInfo-1), func(message []byte) {
			if len(message) < inetDiagMessage || !ports[int(binary.BigEndian.Uint16(message[inetDiagPort:]))] {
				return
			}
			inode := uint64(binary.NativeEndian.Uint32(message[inetDiagInode:]))
			if info := tcpInfoOf(message[inetDiagMessage:]); inode != 0 && info != nil && awaitsAnswer(info) {
				waiting[inode] = true
			}
		})
	}
	if len(waiting) == 0 {
		return 0
	}
	for _, pid := range pids {
		for _, inode := range socketDescriptors(pid) {
			if waiting[inode] {
				busy++
			}
		}
	}
	return busy
}

// tcpInfoOf finds the attribute; kernels differ in its length.
func tcpInfoOf(attributes []byte) *unix.TCPInfo {
	for len(attributes) >= unix.SizeofRtAttr {
		length := int(binary.NativeEndian.Uint16(attributes))
		if length < unix.SizeofRtAttr || length > len(attributes) {
			return nil
		}
		if binary.NativeEndian.Uint16(attributes[2:]) == inetDiagInfo {
			info := new(unix.TCPInfo)
			copy(unsafe.Slice((*byte)(unsafe.Pointer(info)), unsafe.Sizeof(*info)), attributes[unix.SizeofRtAttr:length])
			return info
		}
		attributes = attributes[min(len(attributes), (length+unix.RTA_ALIGNTO-1)&^(unix.RTA_ALIGNTO-1)):]
	}
	return nil
}
