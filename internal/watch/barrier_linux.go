package watch

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// The barrier is how sync proves that every earlier event was read: the kernel
// keeps the events of one instance in order, over all its watches.

// setBarrier queues an event behind all earlier ones: removing a watch makes
// the kernel append IN_IGNORED for it to this instance's queue.
func (s *inotify) setBarrier(ch chan struct{}) error {
	if s.barrier < 0 {
		return unix.ENOSYS
	}
	wd, err := unix.InotifyAddWatch(s.fd, fmt.Sprintf("/proc/self/fd/%d", s.barrier), unix.IN_ATTRIB)
	if err != nil {
		return err
	}
	s.barriers[int32(wd)] = ch
	if _, err := unix.InotifyRmWatch(s.fd, uint32(wd)); err != nil {
		delete(s.barriers, int32(wd))
		return err
	}
	return nil
}

func (s *inotify) sync(ctx context.Context) error {
	ch := make(chan struct{})
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errClosed
	}
	err := s.setBarrier(ch)
	s.mu.Unlock()
	if err != nil {
		// No proof is possible (no /proc, no watch left): the honest answer is
		// that anything may have changed.
		s.inbox.put(event{op: opLost, at: time.Now()})
		return nil
	}
	select {
	case <-ch:
		return nil
	case <-s.done:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}
