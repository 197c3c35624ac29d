package watch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// read is the reader goroutine.
func (s *inotify) read() {
	buf := make([]byte, readBuffer)
	for {
		if f := s.opts.seams.beforeRead; f != nil {
			f()
		}
		n, err := s.file.Read(buf)
		if err != nil {
			if !errors.Is(err, os.ErrClosed) {
				s.opts.Log("inotify: %v; every input is compared from now on only on demand", err)
				s.inbox.put(event{op: opLost, at: time.Now()})
			}
			return
		}
		s.handle(buf[:n], time.Now())
	}
}

// handle decodes what one read returned; inotify(7) has the layout.
func (s *inotify) handle(buf []byte, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	var evs []event
	for len(buf) >= unix.SizeofInotifyEvent {
		wd := int32(binary.NativeEndian.Uint32(buf))
		mask := binary.NativeEndian.Uint32(buf[4:])
		move := binary.NativeEndian.Uint32(buf[8:])
		end := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(buf[12:]))
		name := string(bytes.TrimRight(buf[unix.SizeofInotifyEvent:end], "\x00"))
		buf = buf[end:]
		s.one(wd, mask, move, name, at, &evs)
	}
	s.inbox.put(evs...)
}

func (s *inotify) one(wd int32, mask, move uint32, name string, at time.Time, evs *[]event) {
	if mask&unix.IN_Q_OVERFLOW != 0 {
		s.overflow(at, evs)
		return
	}
	if ch, ok := s.barriers[wd]; ok {
		if mask&unix.IN_IGNORED != 0 {
			delete(s.barriers, wd)
			// What was decoded so far must be in the inbox first.
			s.inbox.put(*evs...)
			*evs = nil
			close(ch)
		}
		return
	}
	d := s.dirs[wd]
	if d == nil {
		if mask&unix.IN_IGNORED != 0 {
			delete(s.retired, wd)
		} else if !s.retired[wd] {
			*evs = append(*evs, event{op: opLost, at: at}) // a directory we should know
		}
		return
	}
	if mask&(unix.IN_IGNORED|unix.IN_UNMOUNT|unix.IN_DELETE_SELF|unix.IN_MOVE_SELF) != 0 {
		s.self(wd, d, mask, at, evs)
		return
	}
	path := filepath.Join(d.path, name)
	dir := mask&unix.IN_ISDIR != 0
	if name == "" || s.opts.Exclude(path, dir) {
		return
	}
	ev := event{path: path, dir: dir, move: move, at: at}
	switch {
	case mask&(unix.IN_MOVED_FROM|unix.IN_DELETE) != 0:
		ev.op = opGone
		if dir {
			s.drop(path)
		}
	case dir && mask&(unix.IN_CREATE|unix.IN_MOVED_TO) != 0:
		ev.op = opFound
		if d.tree || s.roots[path] != (root{}) {
			*evs = append(*evs, ev)
			s.walk(path, d.tree, true, at, evs)
			return
		}
	case mask&(unix.IN_CLOSE_WRITE|unix.IN_MOVED_TO) != 0:
		ev.op = opWhole
	case mask&unix.IN_CREATE != 0:
		ev.op = opCreate
	case mask&unix.IN_MODIFY != 0:
		ev.op = opModify
	case mask&unix.IN_ATTRIB != 0:
		ev.op = opAttrib
	default:
		return
	}
	*evs = append(*evs, ev)
}

// self handles what happens to a watched directory rather than in it.
func (s *inotify) self(wd int32, d *watchedDir, mask uint32, at time.Time, evs *[]event) {
	if mask&unix.IN_IGNORED == 0 && !d.root {
		return
	}
	if mask&unix.IN_IGNORED != 0 {
		delete(s.dirs, wd)
		if s.byPath[d.path] == wd {
			delete(s.byPath, d.path)
		}
	}
	if !d.root || s.missing[d.path] != (root{}) {
		return
	}
	r := s.roots[d.path]
	s.opts.Log("%s was removed or renamed, waiting for it to come back", r.path)
	s.drop(r.path)
	s.miss(r)
	*evs = append(*evs, event{op: opLost, at: at}, event{path: r.path, op: opGone, dir: true, at: at})
}

// overflow makes the set of watches true again after events were dropped.
func (s *inotify) overflow(at time.Time, evs *[]event) {
	s.opts.Log("too many changes at once for the kernel's queue: comparing every input")
	s.again(at, evs)
}

// again places all watches anew, for what the names stand for now.
func (s *inotify) again(at time.Time, evs *[]event) {
	*evs = append(*evs, event{op: opLost, at: at})
	old := s.byPath
	s.byPath = make(map[string]int32, len(old))
	for _, r := range s.roots {
		*evs = append(*evs, s.place(r, false)...)
	}
	for _, wd := range old {
		if d, ok := s.dirs[wd]; ok && s.byPath[d.path] == wd {
			continue // met by the walk, perhaps under another name
		}
		delete(s.dirs, wd)
		s.retired[wd] = true
		unix.InotifyRmWatch(s.fd, uint32(wd)) // EINVAL: it went with its directory
	}
	// The answers to pending barriers may be among what was dropped.
	for wd, ch := range s.barriers {
		delete(s.barriers, wd)
		if err := s.setBarrier(ch); err != nil {
			close(ch) // opLost above covers everything that was written
		}
	}
}
