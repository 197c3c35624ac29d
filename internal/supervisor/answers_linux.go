package supervisor

import (
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Whether a generation has sent a byte to a client: the kernel tells of each
// TCP socket that goes, with its counters (sock_diag(7), the groups of destroyed
// sockets), and when asked of those that are there. So a program that only
// opened its port is told from one that served, without a look at its traffic.

const (
	groupDestroyedTCP  = 1 // SKNLGRP_INET_TCP_DESTROY of linux/sock_diag.h
	groupDestroyedTCP6 = 3 // SKNLGRP_INET6_TCP_DESTROY

	inetDiagCookie = 44 // offset of id.idiag_cookie in struct inet_diag_msg
	allButListen   = 0xfff &^ (1 << tcpListen)

	// answerLag: the kernel tells of a socket that went from a work queue, that
	// is when a processor is free.
	answerLag = 20 * time.Millisecond
	// portsFiltered bounds the filter; the jumps of one have 8 bits. With more
	// ports than this the whole machine's sockets are read.
	portsFiltered = 200
)

// answers watches one generation for as long as it is on trial.
type answers struct {
	mu      sync.Mutex // guards fields below
	file    *os.File   // netlink socket, nil before the first port
	ports   []uint16
	ignored map[uint64]bool // by cookie: connections that are none of the generation's
	sent    bool            // a byte, to one that is
	lost    bool            // the kernel could not tell all
	over    bool            // nobody is to begin any more
	both    bool            // the generation before serves meanwhile; set before the start
	ended   chan struct{}   // closed when run has returned
}

// begin watches a port that g is about to listen on, before a client can have
// an answer. Where the kernel does not tell, nothing is known of g.
func (a *answers) begin(h *handover, g *Generation, port uint16) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over || h.trial == 0 {
		return
	}
	if !a.both && !slices.Contains(a.ports, port) {
		a.ignoreOthers([]uint16{port}, nil) // g has no connection there yet
	}
	first := a.file == nil
	if first {
		fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_SOCK_DIAG)
		if err != nil {
			return
		}
		groups := uint32(1<<(groupDestroyedTCP-1) | 1<<(groupDestroyedTCP6-1))
		a.ports = []uint16{port}
		filterPorts(fd, a.ports)
		if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
			unix.Close(fd)
			return
		}
		a.file, a.ended = os.NewFile(uintptr(fd), "sock_diag"), make(chan struct{})
		h.wg.Go(func() { a.run(g) })
	} else if !slices.Contains(a.ports, port) {
		a.ports = append(a.ports, port)
		if raw, err := a.file.SyscallConn(); err == nil {
			raw.Control(func(fd uintptr) { filterPorts(int(fd), a.ports) })
		}
	}
	a.file.SetReadDeadline(time.Now().Add(h.trial + restWait)) // counted from when it is ready
}

// watchActivated watches the sockets that g takes from its parent.
func (h *handover) watchActivated(g *Generation, sockets []*os.File) {
	for _, f := range sockets {
		raw, err := f.SyscallConn()
		if err != nil {
			continue
		}
		raw.Control(func(fd uintptr) {
			switch a, _ := unix.Getsockname(int(fd)); a := a.(type) {
			case *unix.SockaddrInet4:
				g.answers.begin(h, g, uint16(a.Port))
			case *unix.SockaddrInet6:
				g.answers.begin(h, g, uint16(a.Port))
			}
		})
	}
}

// stop ends the watch.
func (a *answers) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = true
	if a.file != nil {
		a.file.SetReadDeadline(time.Now())
	}
}

// restart forgets what was seen until now: others served as well.
func (a *answers) restart(g *Generation) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file != nil {
		a.sent = false
		a.ignoreOthers(a.ports, g.sockets())
	}
}

// run reads until the first answer or the end of the trial.
func (a *answers) run(g *Generation) {
	defer close(a.ended)
	defer a.file.Close()
	<-g.begun
	if a.both {
		a.restart(g)
	}
	buf := make([]byte, 32<<10)
	for {
		n, err := a.file.Read(buf)
		a.mu.Lock()
		switch {
		case errors.Is(err, unix.ENOBUFS):
			a.lost = true
		case err == nil:
			eachMessage(buf[:n], a.note)
		}
		enough := err != nil && !errors.Is(err, unix.EINTR) || a.sent && !a.both
		a.mu.Unlock()
		if enough {
			return
		}
	}
}

// note takes what is told of one socket; the caller holds mu.
func (a *answers) note(message []byte) {
	if len(message) < inetDiagMessage || !slices.Contains(a.ports, binary.BigEndian.Uint16(message[inetDiagPort:])) {
		return
	}
	info := tcpInfoOf(message[inetDiagMessage:])
	if info != nil && info.Bytes_sent > 0 && !a.ignored[binary.NativeEndian.Uint64(message[inetDiagCookie:])] {
		a.sent = true
	}
}

// ignoreOthers notes the connections of the ports that are not g's: those of the
// generation before, and of the stand-in. own are g's sockets, nil while it can
// have none. Who waits in the queue has no inode yet, and no byte; an orphan with
// a byte is what somebody else has closed. The caller holds mu.
func (a *answers) ignoreOthers(ports []uint16, own map[uint64]place) {
	if a.ignored == nil {
		a.ignored = map[uint64]bool{}
	}
	dumpConnections(func(message []byte) {
		if len(message) < inetDiagMessage || !slices.Contains(ports, binary.BigEndian.Uint16(message[inetDiagPort:])) {
			return
		}
		inode := uint64(binary.NativeEndian.Uint32(message[inetDiagInode:]))
		info := tcpInfoOf(message[inetDiagMessage:])
		if info == nil || inode == 0 && info.Bytes_sent == 0 {
			return
		}
		if _, ours := own[inode]; !ours || inode == 0 {
			a.ignored[binary.NativeEndian.Uint64(message[inetDiagCookie:])] = true
		}
	})
}

// any tells, of a generation that has exited, whether it sent a byte to a
// client, and whether that is known.
func (a *answers) any() (sent, known bool) {
	a.mu.Lock()
	file := a.file
	a.over = true
	if file == nil {
		a.mu.Unlock()
		return false, false
	}
	dumpConnections(a.note) // those that outlive it, until the client has all
	file.SetReadDeadline(time.Now().Add(answerLag))
	a.mu.Unlock()
	<-a.ended
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sent, !a.lost
}

// already tells of a generation that may still run whether it has sent a byte to
// a client. The kernel is slow to tell of a connection that was just closed.
func (a *answers) already() bool {
	for last := time.Now().Add(answerLag); ; <-time.After(answerLag / 4) {
		a.mu.Lock()
		if a.file != nil && !a.sent {
			dumpConnections(a.note)
		}
		sent := a.sent
		a.mu.Unlock()
		if sent || time.Now().After(last) {
			return sent
		}
	}
}

// dumpConnections visits all TCP sockets but those that listen.
func dumpConnections(visit func(message []byte)) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		dumpSockets(fd, family, allButListen, 1<<(inetDiagInfo-1), visit)
	}
}

// filterPorts keeps sockets of other ports from waking us.
func filterPorts(fd int, ports []uint16) {
	if len(ports) > portsFiltered {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0)
		return
	}
	program := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: unix.SizeofNlMsghdr + inetDiagPort}}
	for i, port := range ports {
		program = append(program, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(port), Jt: uint8(len(ports) - i)})
	}
	const none, whole = 0, 0xffffffff
	program = append(program, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: none}, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: whole})
	unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(program)), Filter: unsafe.SliceData(program)})
}
