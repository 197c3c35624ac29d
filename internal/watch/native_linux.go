package watch

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	dirMask = unix.IN_CLOSE_WRITE | unix.IN_MOVED_TO | unix.IN_MOVED_FROM | unix.IN_CREATE |
		unix.IN_DELETE | unix.IN_MODIFY | unix.IN_ATTRIB | unix.IN_ONLYDIR | unix.IN_EXCL_UNLINK
	// Only a root needs to hear of itself: other directories have a watched parent.
	rootMask = dirMask | unix.IN_DELETE_SELF | unix.IN_MOVE_SELF

	// readBuffer holds over 1000 usual events, so a burst is few reads.
	readBuffer = 64 << 10
	// rootRetry: a root that vanished (git worktree, mount, rm -rf) is looked
	// for this often; nothing announces it, and a stat costs a microsecond.
	rootRetry = 100 * time.Millisecond
)

// inotify is the native source. One goroutine reads and does everything that
// an event causes, in the order of the kernel; watches for new directories are
// placed before they are listed, so an entry is seen by the one or the other.
//
// Renames of directories are not paired: the old name is dropped with all
// below it, the new one is walked like a new directory. The walk comes after
// every event that was queued for a dropped watch, so those can be ignored.
type inotify struct {
	inbox     *inbox
	opts      Options
	toPoll    func(root, bool)
	fd        int
	file      *os.File // wraps fd: its Close ends a Read
	barrier   int      // memfd whose inode nothing else watches
	wg        sync.WaitGroup
	mountinfo *mountTable   // nil where it cannot be followed
	done      chan struct{} // closed by close
	lost      chan struct{} // one token: a root is missing

	mu       sync.Mutex // guards fields below and the use of fd
	closed   bool
	dirs     map[int32]*watchedDir
	byPath   map[string]int32
	retired  map[int32]bool // removed by us; the kernel has not confirmed
	roots    map[string]root
	missing  map[string]root
	barriers map[int32]chan struct{}
	remote   map[string]string // mounts inside the trees that send no events, with their kinds
	advised  bool              // the notice about limits was given
	warned   map[string]bool   // directories that cannot be read
}

type watchedDir struct {
	path string
	tree bool
	root bool
}

func newNative(in *inbox, o Options, toPoll func(root, bool)) (source, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if o.seams.noInstance && err == nil {
		unix.Close(fd)
		err = unix.EMFILE
	}
	if err != nil {
		if errors.Is(err, unix.EMFILE) {
			return nil, fmt.Errorf("inotify: no instance left; raise it with: sysctl fs.inotify.max_user_instances=%d", 2*max(128, sysctl("max_user_instances")))
		}
		return nil, fmt.Errorf("inotify: %w", err)
	}
	barrier, err := unix.MemfdCreate("hr-watch-barrier", unix.MFD_CLOEXEC)
	if err != nil {
		barrier = -1 // sync reports a rescan instead
	}
	s := &inotify{
		inbox: in, opts: o, toPoll: toPoll,
		fd: fd, file: os.NewFile(uintptr(fd), "inotify"), barrier: barrier,
		done: make(chan struct{}), lost: make(chan struct{}, 1),
		dirs: map[int32]*watchedDir{}, byPath: map[string]int32{}, retired: map[int32]bool{},
		roots: map[string]root{}, missing: map[string]root{},
		barriers: map[int32]chan struct{}{}, warned: map[string]bool{}, remote: map[string]string{},
	}
	s.wg.Go(s.read)
	s.wg.Go(s.seekRoots)
	if s.mountinfo = openMounts(); s.mountinfo != nil {
		s.wg.Go(s.followMounts)
	}
	return s, nil
}

func (s *inotify) add(r root) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if old, ok := s.roots[r.path]; ok && (old.tree || !r.tree) {
		return
	}
	s.roots[r.path] = r
	if wd, ok := s.byPath[r.path]; ok && (s.dirs[wd].tree || !r.tree) {
		return // inside a tree already
	}
	if r.tree && s.opts.Source == "" {
		maps.Copy(s.remote, s.mounts(r.path))
	}
	s.inbox.put(s.place(r, false)...)
}

func (s *inotify) mounts(dir string) map[string]string {
	if f := s.opts.seams.remoteMounts; f != nil {
		return f(dir)
	}
	return remoteMounts(dir)
}

// place watches a root; found reports all it holds.
func (s *inotify) place(r root, found bool) []event {
	if fi, err := os.Stat(r.path); err != nil || !fi.IsDir() {
		s.miss(r)
		return nil
	}
	var evs []event
	s.walk(r.path, r.tree, found, time.Now(), &evs)
	return evs
}

func (s *inotify) miss(r root) {
	s.missing[r.path] = r
	select {
	case s.lost <- struct{}{}:
	default:
	}
}

// walk watches dir, then lists it. With found every entry is an event.
func (s *inotify) walk(dir string, tree, found bool, at time.Time, evs *[]event) {
	r, isRoot := s.roots[dir]
	tree = tree || isRoot && r.tree
	if !s.watch(dir, tree, isRoot, found) || !tree && !found {
		return
	}
	f, err := os.Open(dir)
	if err != nil {
		s.warn(dir, err)
		return
	}
	list, err := f.ReadDir(-1)
	f.Close()
	if err != nil {
		s.warn(dir, err)
	}
	for _, d := range list {
		if !found && !d.IsDir() {
			continue
		}
		path := filepath.Join(dir, d.Name())
		if s.opts.Exclude(path, d.IsDir()) {
			continue
		}
		if found {
			*evs = append(*evs, event{path: path, op: opFound, dir: d.IsDir(), at: at})
		}
		if d.IsDir() && tree {
			s.walk(path, tree, found, at, evs)
		}
	}
}

// watch adds one kernel watch; false when dir is gone or polled instead.
func (s *inotify) watch(dir string, tree, isRoot, found bool) bool {
	mask := uint32(dirMask)
	if isRoot {
		mask = rootMask
	}
	if kind := s.remote[dir]; kind != "" {
		s.opts.Log("%s is on %s, where events of other machines do not arrive: polling it every %v", dir, kind, pollInterval)
		s.toPoll(root{path: dir, tree: tree}, found)
		return false
	}
	var wd int
	err := error(unix.ENOSPC)
	if len(s.dirs) < s.opts.MaxTreeDirs {
		wd, err = s.addWatch(dir, mask)
	}
	switch {
	case err == nil:
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.ENOMEM):
		s.advise()
		s.toPoll(root{path: dir, tree: tree}, found)
		return false
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return false // gone again; its parent, or seekRoots, tells when it is back
	default:
		s.warn(dir, err)
		return false
	}
	// The kernel returns the same number for the same inode: a directory that
	// was known under another name is known under this one from now on.
	if old := s.dirs[int32(wd)]; old != nil && old.path != dir && s.byPath[old.path] == int32(wd) {
		delete(s.byPath, old.path)
	}
	delete(s.retired, int32(wd))
	delete(s.missing, dir)
	s.dirs[int32(wd)] = &watchedDir{path: dir, tree: tree, root: isRoot}
	s.byPath[dir] = int32(wd)
	return true
}

func (s *inotify) addWatch(dir string, mask uint32) (int, error) {
	if f := s.opts.seams.addWatch; f != nil {
		if err := f(dir); err != nil {
			return 0, err
		}
	}
	return unix.InotifyAddWatch(s.fd, dir, mask)
}

// drop forgets dir and all below it.
func (s *inotify) drop(dir string) {
	below := dir + string(filepath.Separator)
	for path, wd := range s.byPath {
		if path != dir && !strings.HasPrefix(path, below) {
			continue
		}
		delete(s.byPath, path)
		delete(s.dirs, wd)
		s.retired[wd] = true
		unix.InotifyRmWatch(s.fd, uint32(wd)) // EINVAL: it went with its directory, IN_IGNORED is queued
		if r, ok := s.roots[path]; ok {
			s.miss(r)
		}
	}
}

func (s *inotify) warn(dir string, err error) {
	if errors.Is(err, os.ErrNotExist) || s.warned[dir] {
		return
	}
	s.warned[dir] = true
	s.opts.Log("%s is not watched: %v", dir, err)
}

// seekRoots looks for missing roots, and sleeps while there are none.
func (s *inotify) seekRoots() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	timer.Stop()
	for {
		select {
		case <-s.lost:
			timer.Reset(rootRetry)
			continue
		case <-timer.C:
		case <-s.done:
			return
		}
		s.mu.Lock()
		var evs []event
		for path, r := range s.missing {
			if fi, err := os.Stat(path); err != nil || !fi.IsDir() {
				continue
			}
			s.opts.Log("%s is back", path)
			now := time.Now()
			evs = append(evs, event{op: opLost, at: now}, event{path: path, op: opFound, dir: true, at: now})
			evs = append(evs, s.place(r, true)...)
		}
		if len(s.missing) > 0 {
			timer.Reset(rootRetry)
		}
		s.mu.Unlock()
		s.inbox.put(evs...)
	}
}

func (s *inotify) close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.done)
	err := s.file.Close()
	if s.mountinfo != nil {
		s.mountinfo.close()
	}
	if s.barrier >= 0 {
		unix.Close(s.barrier)
	}
	s.mu.Unlock()
	s.wg.Wait()
	return err
}
