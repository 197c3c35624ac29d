package supervisor

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Drain: the old program is kept from accepting more, by taking the listening
// sockets out of its epoll sets, and is signalled when the connections it has
// accepted are quiet. New connections wait in the shared queue for the next
// generation. The program notices nothing. Where its epoll sets cannot be had,
// or there are none, it is frozen instead.

const (
	// drainCap: when the program waits for something and no connection has
	// become quiet for this long, the rest is cut (a stream, a long poll), as it
	// would be without a drain.
	drainCap = 300 * time.Millisecond
	// drainMax bounds the whole wait, for a program that is behind with a long
	// queue: longer, and the restart is what one waits for.
	drainMax = 2 * time.Second
	// drainPoll is between two looks at busy connections: answers come within
	// milliseconds.
	drainPoll = time.Millisecond
	// drainAgain is from the first quiet look to a second, because the threads
	// of a program cannot be looked at all at once.
	drainAgain = 200 * time.Microsecond
	// drainRunning: a thread that runs may be on its way to accept. One that has
	// had this much of a processor since it was kept from more computes
	// something; a server that is still interpreted takes some 10 ms for each
	// request. It is not time that passed: on a busy machine a thread waits for
	// its turn between being woken and accept.
	drainRunning = 50 * time.Millisecond
)

// epollWatch is one registration of a held socket in an epoll set of the
// program. The kernel keys it by open file and descriptor number.
type epollWatch struct {
	pid    int
	set    int // the program's epoll descriptor
	fd     int // the program's number for the socket
	events uint32
	data   uint64
	socket int // our descriptor of the same open file
}

// epollWatches lists the registrations of pid's descriptors whose socket is
// wanted.
func epollWatches(pid int, wanted func(inode uint64) bool) []epollWatch {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	names, _ := f.Readdirnames(-1)
	f.Close()
	var watches []epollWatch
	for _, n := range names {
		if target, err := os.Readlink(dir + "/" + n); err != nil || target != "anon_inode:[eventpoll]" {
			continue
		}
		set, err := strconv.Atoi(n)
		if err != nil {
			continue
		}
		info, err := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%s", pid, n))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(info)) {
			w := epollWatch{pid: pid, set: set}
			if _, err := fmt.Sscanf(line, "tfd: %d events: %x data: %x", &w.fd, &w.events, &w.data); err != nil {
				continue
			}
			if inode, err := socketInode(pid, w.fd); err == nil && wanted(inode) {
				watches = append(watches, w)
			}
		}
	}
	return watches
}

// watchMove is the plan for one watch, made of numbers only.
type watchMove struct {
	set, socket, saved, fd uintptr
	event                  unix.EpollEvent
}

// moveWatches adds or removes watches. epoll wants the socket at the program's
// own number, so it is done on a thread with a private descriptor table, which
// dies afterwards. It returns how many succeeded.
func moveWatches(watches []epollWatch, operation int) (moved int) {
	onOwnThread(func() {
		highest := 0
		for _, w := range watches {
			highest = max(highest, w.fd, w.set)
		}
		if unix.Unshare(unix.CLONE_FILES) != nil {
			return
		}
		// Everything that is needed goes above all numbers that will be used.
		var moves []watchMove
		for _, w := range watches {
			set, err := takeDescriptor(w.pid, w.set)
			if err != nil {
				continue
			}
			m := watchMove{fd: uintptr(w.fd)}
			high := func(fd int) uintptr {
				n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, highest+1)
				if err != nil {
					return ^uintptr(0)
				}
				return uintptr(n)
			}
			m.set, m.socket, m.saved = high(set), high(w.socket), high(w.fd)
			unix.Close(set)
			// struct epoll_event ends with 64 bits of data, which unix splits.
			m.event.Events, m.event.Fd, m.event.Pad = w.events, int32(w.data), int32(w.data>>32)
			if m.set != ^uintptr(0) && m.socket != ^uintptr(0) {
				moves = append(moves, m)
			}
		}
		if len(moves) > 0 {
			moved = applyMoves(moves, uintptr(operation))
		}
		runtime.KeepAlive(moves)
	})
	return moved
}

// applyMoves works at numbers that belong to the Go runtime's own descriptors
// in this table, and puts those back before it returns. Until then the runtime
// must not run on this thread: signals are blocked, nothing is allocated, and
// only system calls are made that the scheduler does not see.
func applyMoves(moves []watchMove, operation uintptr) (moved int) {
	var all, old [16]uint64
	for i := range all {
		all[i] = ^uint64(0)
	}
	const sizeofKernelSigset = 8
	syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, unix.SIG_BLOCK, uintptr(unsafe.Pointer(&all)), uintptr(unsafe.Pointer(&old)), sizeofKernelSigset, 0, 0)
	for i := range moves {
		m := &moves[i]
		if _, _, e := syscall.RawSyscall6(syscall.SYS_DUP3, m.socket, m.fd, syscall.O_CLOEXEC, 0, 0, 0); e != 0 {
			continue
		}
		if _, _, e := syscall.RawSyscall6(syscall.SYS_EPOLL_CTL, m.set, operation, m.fd, uintptr(unsafe.Pointer(&m.event)), 0, 0); e == 0 {
			moved++
		}
		if m.saved != ^uintptr(0) {
			syscall.RawSyscall6(syscall.SYS_DUP3, m.saved, m.fd, syscall.O_CLOEXEC, 0, 0, 0)
		} else {
			syscall.RawSyscall6(syscall.SYS_CLOSE, m.fd, 0, 0, 0, 0, 0)
		}
	}
	syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&old)), 0, sizeofKernelSigset, 0, 0)
	return moved
}

// drain keeps g from accepting and waits until it is quiet.
func (h *handover) drain(g *Generation) time.Duration {
	begin := time.Now()
	level := h.current()
	if level == handoverPlain || g.trap == nil {
		return 0
	}
	h.mu.Lock()
	sockets := map[uint64]int{}
	ports := map[int]bool{}
	for _, s := range h.table.sockets {
		// A descriptor of our own: the table may be swept meanwhile.
		if fd, err := unix.FcntlInt(uintptr(s.fd), unix.F_DUPFD_CLOEXEC, 0); err == nil {
			sockets[s.inode] = fd
			ports[int(s.address.port)] = true
		}
	}
	h.mu.Unlock()
	defer func() {
		for _, fd := range sockets {
			unix.Close(fd)
		}
	}()
	if len(sockets) == 0 {
		return 0
	}
	pids := g.members()
	if level == handoverNoGetfd {
		g.freeze(pids, func() int { return busyByDiag(pids, ports) })
		return time.Since(begin)
	}
	var watches []epollWatch
	for _, pid := range pids {
		for _, w := range epollWatches(pid, func(inode uint64) bool { return sockets[inode] != 0 }) {
			inode, err := socketInode(pid, w.fd)
			if err == nil {
				w.socket = sockets[inode]
				watches = append(watches, w)
			}
		}
	}
	if len(watches) == 0 || moveWatches(watches, unix.EPOLL_CTL_DEL) == 0 {
		g.freeze(pids, func() int { return busyConnections(pids, ports) })
		return time.Since(begin)
	}
	progress := time.NewTimer(drainCap)
	defer progress.Stop()
	threads := newThreadClock(pids)
	// Without a watch nobody is woken to accept. When no thread runs, nobody is
	// about to, and what was accepted is to be seen.
	unquiet := func() int {
		running := threads.running(pids)
		if running > 0 {
			progress.Reset(drainCap) // that it does not get on is not for lack of work
		}
		return running + busyConnections(pids, ports)
	}
	tick := time.NewTicker(drainPoll)
	defer tick.Stop()
	limit := time.NewTimer(drainMax)
	defer limit.Stop()
	least := math.MaxInt
	for {
		n := unquiet()
		if n == 0 && stays(unquiet) {
			return time.Since(begin)
		}
		if n < least {
			least = n
			progress.Reset(drainCap)
		}
		select {
		case <-tick.C:
			continue
		case <-progress.C:
		case <-limit.C:
		case <-g.killed:
		case <-g.Done():
		}
		return time.Since(begin)
	}
}

// stays asks a second time after a moment. The runtime's own timers are no
// finer than 1 ms.
func stays(unquiet func() int) bool {
	gap := unix.NsecToTimespec(drainAgain.Nanoseconds())
	unix.Nanosleep(&gap, nil) // an early end only makes the looks closer
	return unquiet() == 0
}

// socketDescriptors maps the socket descriptors of pid to their inodes.
func socketDescriptors(pid int) map[int]uint64 {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	names, _ := f.Readdirnames(-1)
	f.Close()
	sockets := map[int]uint64{}
	for _, n := range names {
		fd, err := strconv.Atoi(n)
		if err != nil {
			continue
		}
		if inode, err := socketInode(pid, fd); err == nil {
			sockets[fd] = inode
		}
	}
	return sockets
}

// sockets finds where the processes of g have which sockets.
func (g *Generation) sockets() map[uint64]place {
	found := map[uint64]place{}
	for _, pid := range g.members() {
		for fd, inode := range socketDescriptors(pid) {
			found[inode] = place{generation: g.ID, pid: pid, fd: fd}
		}
	}
	return found
}
