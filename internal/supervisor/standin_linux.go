package supervisor

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// While no generation lives, connections wait in the queues of the held
// sockets. After a while that looks like a hang, so the stand-in accepts them:
// HTTP clients get 503 with the reason, others are closed. One goroutine serves
// all of them, so that a client costs a descriptor for a moment and no thread.

const (
	// standInWait: a restart takes milliseconds and a usual build less than
	// this; who waits longer wants to know why.
	standInWait = 2 * time.Second
	// visitorsMost bounds the clients at one time: a browser opens six
	// connections, and who has more than this is not waiting for a page. The
	// oldest makes room, for a client that speaks is answered as it comes.
	visitorsMost = 128
	// descriptorShare is the part of this process' descriptors that visitors may
	// have, as one of so many: the build and the next start need some.
	descriptorShare = 4
	// acceptsAtOnce: between so many new clients those that are there are looked
	// at, so that a crowd does not keep others from their answer.
	acceptsAtOnce = 16
	// deafFor is the pause where even the first client cannot be accepted. Who
	// has all the descriptors has to give some back.
	deafFor = 100 * time.Millisecond
)

// standIn answers for a program that is not there until the next is started, on
// the held sockets and those that the program takes from its parent.
func (h *handover) standIn(followed <-chan struct{}, more []*os.File, reason func() string) {
	wait := time.NewTimer(standInWait)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-followed:
		return
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return
	}
	defer unix.Close(wake)
	r := &reception{
		wake: wake, stop: h.stop, most: mostVisitors(), closed: make(chan struct{}),
		answer: func(request []byte, whole, local bool) []byte {
			return downResponse(request, h.details.allow(request, whole, local), reason())
		},
	}
	h.mu.Lock()
	for _, s := range h.table.sockets {
		r.listenOn(uintptr(s.fd))
	}
	h.mu.Unlock()
	for _, f := range more {
		r.listenOn(f.Fd())
	}
	h.wg.Go(r.run)
	<-followed
	unix.Write(wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	<-r.closed // from here on every connection is the program's
	for _, f := range more {
		unix.SetNonblock(int(f.Fd()), false) // as the program expects them
	}
}

// mostVisitors is visitorsMost, or less where descriptors are few.
func mostVisitors() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return visitorsMost
	}
	return int(max(1, min(visitorsMost, limit.Cur/descriptorShare)))
}

// reception is the stand-in's one goroutine. When it is woken it lets go of its
// listeners, serves those whom it has accepted, and ends.
type reception struct {
	wake, stop int // eventfds: no more clients; end at once
	most       int // visitors at one time
	answer     func(request []byte, whole, local bool) []byte
	closed     chan struct{} // closed when the listeners are let go of

	listeners []int
	visitors  []*visitor // oldest first
	deaf      time.Time  // until then nobody is accepted
}

// listenOn takes a duplicate of a listening socket.
func (r *reception) listenOn(fd uintptr) {
	if own, err := unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0); err == nil {
		unix.SetNonblock(own, true) // shared by all holders; the next claim sets it anew
		r.listeners = append(r.listeners, own)
	}
}

func (r *reception) run() {
	open := true
	letGo := func() {
		for _, fd := range r.listeners {
			unix.Close(fd)
		}
		r.listeners, r.wake, open = nil, -1, false // wake's number may be another's soon
		close(r.closed)
	}
	defer func() {
		for _, v := range r.visitors {
			v.close()
		}
		if open {
			letGo()
		}
	}()
	for open || len(r.visitors) > 0 {
		fds := r.interests()
		if _, err := unix.Poll(fds, r.patience(time.Now())); err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
		if fds[1].Revents != 0 {
			return
		}
		r.serve(fds[2:])
		switch {
		case fds[0].Revents != 0:
			letGo()
		case open:
			r.acceptFrom(fds[2:])
		}
	}
}

// interests lists what to wait for: wake, stop, the listeners unless deaf, and
// the visitors, which come last. Poll passes over negative descriptors.
func (r *reception) interests() []unix.PollFd {
	fds := []unix.PollFd{{Fd: int32(r.wake), Events: unix.POLLIN}, {Fd: int32(r.stop), Events: unix.POLLIN}}
	deaf := time.Now().Before(r.deaf)
	for _, fd := range r.listeners {
		if deaf {
			fd = -1
		}
		fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	for _, v := range r.visitors {
		fds = append(fds, unix.PollFd{Fd: int32(v.fd), Events: v.wants()})
	}
	return fds
}

// patience is the time until somebody's ends, in ms as poll wants it.
func (r *reception) patience(now time.Time) int {
	next := r.deaf
	if !next.After(now) {
		next = time.Time{}
	}
	for _, v := range r.visitors {
		if next.IsZero() || v.deadline.Before(next) {
			next = v.deadline
		}
	}
	if next.IsZero() {
		return -1
	}
	return max(0, int(next.Sub(now)/time.Millisecond)+1)
}

// serve moves every visitor on that is ready or late; fds are the listeners'
// and theirs.
func (r *reception) serve(fds []unix.PollFd) {
	now, fds := time.Now(), fds[len(r.listeners):]
	stay := r.visitors[:0]
	for i, v := range r.visitors {
		over := false
		if fds[i].Revents != 0 {
			over = v.proceed(r.answer)
		}
		if !over && !now.Before(v.deadline) {
			over = v.late(r.answer)
		}
		if over {
			v.close()
		} else {
			stay = append(stay, v)
		}
	}
	clear(r.visitors[len(stay):])
	r.visitors = stay
}

// acceptFrom takes new clients in, and answers those that have spoken already.
func (r *reception) acceptFrom(fds []unix.PollFd) {
	for i, listener := range r.listeners {
		for n := 0; fds[i].Revents != 0 && n < acceptsAtOnce; n++ {
			fd, from, err := unix.Accept4(listener, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
			switch {
			case err == nil:
				r.welcome(newVisitor(fd, from))
				continue
			case errors.Is(err, unix.EINTR), errors.Is(err, unix.ECONNABORTED):
				continue
			case outOfDescriptors(err) && len(r.visitors) > 0:
				r.dismissOldest()
				continue
			case outOfDescriptors(err):
				r.deaf = time.Now().Add(deafFor)
			}
			break // EAGAIN, or it is none of our listeners any more
		}
	}
}

func outOfDescriptors(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ENOBUFS) || errors.Is(err, unix.ENOMEM)
}

// welcome keeps a visitor who has not said everything yet.
func (r *reception) welcome(v *visitor) {
	if v.proceed(r.answer) {
		v.close()
		return
	}
	if len(r.visitors) >= r.most {
		r.dismissOldest()
	}
	r.visitors = append(r.visitors, v)
}

func (r *reception) dismissOldest() {
	r.visitors[0].close()
	r.visitors = append(r.visitors[:0], r.visitors[1:]...)
}
