package supervisor

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Levels of hand-over.
const (
	handoverFull    = "full"     // sockets are taken from the program, and it is drained
	handoverNoGetfd = "no-getfd" // sockets are made here; frozen instead of drained
	handoverPlain   = "plain"    // the port is free between two generations
)

const (
	// backlogFloor keeps connections waiting while no program lives. Linux caps
	// it at net.core.somaxconn, 4096 by default and what Go asks for. With a
	// small backlog SYNs are dropped and clients wait a second or more.
	backlogFloor = 4096
	// sweepIdle: a socket that no living process of the program has had for
	// this many looks, sweepInterval apart, was closed for good. A program that
	// closes and listens again takes less.
	sweepIdle = 2
	// hangUpWait bounds the wait for the kernel's word that nobody is left,
	// after /proc showed nobody: threads take some 40 us to be torn down, and
	// more than 200 ms where nobody gets a processor.
	hangUpWait = time.Second
)

// handover keeps listening sockets across generations.
type handover struct {
	log     func(string, ...any)
	details details
	trial   time.Duration

	rightsTold atomic.Bool // the user knows that the filter takes rights
	wg         sync.WaitGroup
	stop       int // eventfd: readable when everything ends; -1 if there is none

	mu    sync.Mutex // guards fields below; never held during a fork
	level string
	table *heldTable
}

// trap is the filter of one generation.
type trap struct {
	fd     int
	hungUp chan struct{} // closed when no process of the generation is left
}

func newHandover(o Options) *handover {
	h := &handover{log: o.Log, details: details(o.Details), trial: o.Trial, level: handoverPlain, stop: -1, table: newHeldTable()}
	stop, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err == nil {
		h.stop = stop
	}
	if o.Handover == "off" {
		return h
	}
	if err == nil {
		err = probeSeccomp()
	}
	if err != nil {
		h.log("no hand-over of listening sockets: %v", err)
		return h
	}
	h.level = handoverFull
	if o.seams.noGetfd {
		h.level = handoverNoGetfd
	}
	return h
}

// install puts a trap on the calling thread; without one g is plain.
func (h *handover) install(g *Generation) {
	if h.current() == handoverPlain {
		return
	}
	fd, err := installFilter(!h.rightsTold.Load())
	if err != nil {
		h.degrade(handoverPlain, "no hand-over of listening sockets: %v", err)
		return
	}
	g.trap = &trap{fd: fd, hungUp: make(chan struct{})}
	h.wg.Go(func() { h.serve(g, g.trap) })
}

func (h *handover) current() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.level
}

func (h *handover) degrade(level, format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.level == level || h.level == handoverPlain {
		return
	}
	h.level = level
	h.log(format, args...)
}

// serve answers until the kernel says that no process is left to ask.
func (h *handover) serve(g *Generation, t *trap) {
	defer unix.Close(t.fd)
	defer close(t.hungUp)
	var calls sync.WaitGroup
	defer calls.Wait()
	fds := []unix.PollFd{{Fd: int32(t.fd), Events: unix.POLLIN}, {Fd: int32(h.stop), Events: unix.POLLIN}}
	for {
		if _, err := unix.Poll(fds, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
		switch {
		case fds[0].Revents&unix.POLLIN != 0:
			note, err := receiveNotification(t.fd)
			if err != nil {
				continue // the caller is gone
			}
			calls.Go(func() { h.handle(g, t.fd, note) })
		case fds[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0, fds[1].Revents != 0:
			return
		}
	}
}

// handle answers one call. Whatever is not understood is the kernel's.
func (h *handover) handle(g *Generation, fd int, note notification) {
	if note.Nr == unix.SYS_BRK {
		h.lookAtRights(int(note.TID))
		note.passOn(fd)
		return
	}
	call, forbidden, err := examine(fd, note, g.ID, h.current() == handoverFull)
	defer call.close()
	if forbidden {
		h.degrade(handoverNoGetfd, "hand-over with less care for requests under way: this system forbids to take descriptors of other processes")
	}
	switch {
	case err != nil && note.Nr == unix.SYS_BIND:
		note.passOn(fd)
	case note.Nr == unix.SYS_BIND:
		h.bind(call, fd)
	default:
		if err != nil {
			note.passOn(fd)
		} else if h.listen(g, call, fd) {
			h.mu.Lock()
			complete := h.table.complete(g.ID)
			h.mu.Unlock()
			g.listens(complete)
			return
		}
		select {
		case g.listening <- struct{}{}:
		default:
		}
	}
}

// trapped says whether the generation's calls are seen.
func (g *Generation) trapped() bool { return g.trap != nil }

func (h *handover) bind(c *trappedCall, fd int) {
	a, err := c.bindAddress()
	if err != nil {
		c.note.passOn(fd)
		return
	}
	protocol, known := 0, true
	if c.socket >= 0 {
		known = c.isTCP(&a)
	} else {
		protocol, known = c.protocolByName()
	}
	if !known {
		c.note.passOn(fd)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	v, s, drop := h.table.bind(bindCall{from: c.place, inode: c.inode, address: a, reusePort: c.reusesPort(), take: c.socket >= 0}, isOpen)
	for _, d := range drop {
		unix.Close(d.fd)
	}
	switch v {
	case done:
		c.note.answer(fd, 0)
	case inUse:
		c.note.answer(fd, unix.EADDRINUSE)
	case create:
		made, err := makeSocket(a, protocol)
		if err != nil {
			c.note.passOn(fd) // the kernel says what is wrong
			return
		}
		var st unix.Stat_t
		if err := unix.Fstat(made, &st); err != nil {
			unix.Close(made)
			c.note.passOn(fd)
			return
		}
		s = &held{address: a, fd: made, inode: st.Ino}
		if h.put(c, s, fd) {
			h.table.add(s)
		} else {
			unix.Close(made)
		}
	case give:
		if c.socket >= 0 {
			dressUp(s.fd, c.socket)
		}
		h.put(c, s, fd)
	default:
		c.note.passOn(fd)
	}
}

// put replaces the program's socket by ours and answers the bind.
func (h *handover) put(c *trappedCall, s *held, fd int) bool {
	watches := epollWatches(c.place.pid, func(inode uint64) bool { return inode == c.inode })
	if err := c.note.replace(fd, s.fd, c.place.fd, c.closesOnExec()); err != nil {
		if !errors.Is(err, unix.ENOENT) {
			c.note.passOn(fd)
		}
		return false
	}
	s.claim, s.idle = c.place, 0
	// A program that registered the socket before bind lost that with it.
	if len(watches) > 0 {
		for i := range watches {
			watches[i].socket = s.fd
		}
		moveWatches(watches, unix.EPOLL_CTL_ADD)
	}
	c.note.answer(fd, 0)
	return true
}

// listen answers a listen; true when it was on a held socket.
func (h *handover) listen(g *Generation, c *trappedCall, fd int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	v, s := h.table.listen(c.inode, c.reusesPort())
	if v == pass || v == keep && c.socket < 0 {
		c.note.passOn(fd)
		return false
	}
	if v == keep {
		s.fd = c.socket
	}
	g.answers.begin(h, g, s.address.port)
	// We listen ourselves: the same socket, so the same effect, and the backlog
	// is ours to choose.
	err := unix.Listen(s.fd, max(int(int32(c.note.Argument[1])), backlogFloor))
	if err == nil {
		s.listened = c.place.generation
		if v == give {
			dressUp(s.fd, c.socket)
			return h.put(c, s, fd)
		}
		if v == keep {
			s.claim = c.place
			c.socket = -1 // it is the table's now
			h.table.add(s)
		}
	}
	var errno unix.Errno
	errors.As(err, &errno)
	c.note.answer(fd, errno)
	return err == nil
}

// isOpen says whether the claimed descriptor still is the held socket.
func isOpen(s *held) bool {
	inode, err := socketInode(s.claim.pid, s.claim.fd)
	return err == nil && inode == s.inode
}

// holds says whether any socket is held.
func (h *handover) holds() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.table.sockets) > 0
}

// revive makes held sockets listen again that a program has shut down.
func (h *handover) revive() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.table.sockets {
		if on, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err == nil && on == 0 {
			unix.Listen(s.fd, backlogFloor)
		}
	}
}

// sweep gives up sockets that the living generation g has closed for good or
// never claimed: a connection to them would hang instead of being refused.
func (h *handover) sweep(g *Generation) {
	h.mu.Lock()
	idle := make([]*held, 0, len(h.table.sockets))
	for _, s := range h.table.sockets {
		if s.claim.generation == g.ID && isOpen(s) {
			s.idle = 0
			continue
		}
		idle = append(idle, s)
	}
	h.mu.Unlock()
	if len(idle) == 0 {
		return
	}
	open := g.sockets()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range idle {
		if at, ok := open[s.inode]; ok {
			s.claim, s.idle = at, 0
			continue
		}
		if s.idle++; s.idle >= sweepIdle && h.table.sockets[s.address] == s {
			delete(h.table.sockets, s.address)
			unix.Close(s.fd)
		}
	}
	clear(h.table.bound) // binds that never listened
}

// close ends all service and closes what is held.
func (h *handover) close() {
	unix.Write(h.stop, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	h.wg.Wait()
	unix.Close(h.stop)
	for _, s := range h.table.sockets {
		unix.Close(s.fd)
	}
	clear(h.table.sockets)
}

// awaitHangUp waits for the kernel's word that no process of g is left.
func (h *handover) awaitHangUp(g *Generation) {
	if g.trap == nil {
		return
	}
	select {
	case <-g.trap.hungUp:
	case <-time.After(hangUpWait):
		h.log("a process of generation %d is still somewhere, and may take connections", g.ID)
	}
}
