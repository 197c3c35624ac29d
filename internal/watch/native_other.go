//go:build !linux

package watch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// rootRetry: how often a root that vanished is looked for.
	rootRetry = 100 * time.Millisecond
	// barrierTimeout: where events carry no order a cookie that does not come
	// back must not stop the caller; it gets a rescan instead.
	barrierTimeout = 2 * time.Second
)

// fsn is the native source of systems without inotify. These do not tell when
// a writer closes a file, so every write waits openWait for the next.
type fsn struct {
	inbox   *inbox
	opts    Options
	watcher *fsnotify.Watcher
	cookies string // private directory, watched too
	wg      sync.WaitGroup
	done    chan struct{} // closed by close

	mu       sync.Mutex // guards fields below
	closed   bool
	dirs     map[string]bool // path -> tree
	roots    map[string]root
	missing  map[string]root
	barriers map[string]chan struct{}
	serial   int
}

func newNative(in *inbox, o Options, _ func(root, bool)) (source, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	s := &fsn{
		inbox: in, opts: o, watcher: w, done: make(chan struct{}),
		dirs: map[string]bool{}, roots: map[string]root{}, missing: map[string]root{},
		barriers: map[string]chan struct{}{},
	}
	if dir, err := os.MkdirTemp("", "hr-watch-"); err == nil {
		if dir, err = filepath.EvalSymlinks(dir); err == nil && w.Add(dir) == nil {
			s.cookies = dir
		}
	}
	s.wg.Go(s.read)
	return s, nil
}

func (s *fsn) add(r root) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.roots[r.path]; s.closed || ok && (old.tree || !r.tree) {
		return
	}
	s.roots[r.path] = r
	s.inbox.put(s.place(r, false)...)
}

func (s *fsn) place(r root, found bool) []event {
	if fi, err := os.Stat(r.path); err != nil || !fi.IsDir() {
		s.missing[r.path] = r
		return nil
	}
	delete(s.missing, r.path)
	var evs []event
	s.walk(r.path, r.tree, found, time.Now(), &evs)
	return evs
}

// walk watches dir before it lists it, so an entry is seen by the one or the other.
func (s *fsn) walk(dir string, tree, found bool, at time.Time, evs *[]event) {
	if err := s.watcher.Add(dir); err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			s.opts.Log("%s is not watched: %v", dir, err)
		}
		return
	}
	s.dirs[dir] = tree || s.dirs[dir]
	if !tree && !found {
		return
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, d := range list {
		path := filepath.Join(dir, d.Name())
		if s.opts.Exclude(path, d.IsDir()) {
			continue
		}
		if found {
			*evs = append(*evs, event{path: path, op: opFound, dir: d.IsDir(), at: at})
		}
		if tree && d.IsDir() {
			s.walk(path, tree, found, at, evs)
		}
	}
}

func (s *fsn) read() {
	tick := time.NewTicker(rootRetry)
	defer tick.Stop()
	for {
		select {
		case ev, ok := <-s.watcher.Events:
			if !ok {
				return
			}
			s.handle(ev, time.Now())
		case err, ok := <-s.watcher.Errors:
			if !ok {
				return
			}
			s.opts.Log("watching: %v; comparing every input", err)
			s.inbox.put(event{op: opLost, at: time.Now()})
		case <-tick.C:
			s.seekRoots()
		case <-s.done:
			return
		}
	}
}

func (s *fsn) seekRoots() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for path, r := range s.missing {
		if fi, err := os.Stat(path); err == nil && fi.IsDir() {
			now := time.Now()
			s.inbox.put(event{op: opLost, at: now}, event{path: path, op: opFound, dir: true, at: now})
			s.inbox.put(s.place(r, true)...)
		}
	}
}

func (s *fsn) handle(e fsnotify.Event, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cookies != "" && filepath.Dir(e.Name) == s.cookies {
		if ch := s.barriers[filepath.Base(e.Name)]; ch != nil {
			delete(s.barriers, filepath.Base(e.Name))
			close(ch)
		}
		return
	}
	if r, ok := s.roots[e.Name]; ok && e.Has(fsnotify.Remove|fsnotify.Rename) {
		s.forget(e.Name)
		s.missing[r.path] = r
		s.inbox.put(event{op: opLost, at: at}, event{path: r.path, op: opGone, dir: true, at: at})
		return
	}
	_, isDir := s.dirs[e.Name]
	var evs []event
	switch {
	case e.Has(fsnotify.Remove), e.Has(fsnotify.Rename):
		if s.opts.Exclude(e.Name, isDir) {
			return
		}
		evs = append(evs, event{path: e.Name, op: opGone, dir: isDir, at: at})
		s.forget(e.Name)
	case e.Has(fsnotify.Create):
		fi, err := os.Lstat(e.Name)
		isDir = err == nil && fi.IsDir()
		if s.opts.Exclude(e.Name, isDir) {
			return
		}
		evs = append(evs, event{path: e.Name, op: opFound, dir: isDir, at: at})
		if isDir && s.dirs[filepath.Dir(e.Name)] {
			s.walk(e.Name, true, true, at, &evs)
		}
	case s.opts.Exclude(e.Name, isDir):
	case e.Has(fsnotify.Write):
		evs = append(evs, event{path: e.Name, op: opModify, dir: isDir, at: at})
	case e.Has(fsnotify.Chmod):
		evs = append(evs, event{path: e.Name, op: opAttrib, dir: isDir, at: at})
	}
	s.inbox.put(evs...)
}

func (s *fsn) forget(dir string) {
	for p := range s.dirs {
		if p == dir || strings.HasPrefix(p, dir+string(filepath.Separator)) {
			delete(s.dirs, p)
			s.watcher.Remove(p) // an error means it is not watched any more
		}
	}
}

// sync writes a cookie file to a private directory and waits for its event.
func (s *fsn) sync(ctx context.Context) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errClosed
	}
	s.serial++
	name := fmt.Sprint(s.serial)
	ch := make(chan struct{})
	s.barriers[name] = ch
	s.mu.Unlock()
	path := filepath.Join(s.cookies, name)
	timeout := time.NewTimer(barrierTimeout)
	defer timeout.Stop()
	if s.cookies == "" || os.WriteFile(path, nil, 0o600) != nil {
		s.inbox.put(event{op: opLost, at: time.Now()})
		return nil
	}
	defer os.Remove(path)
	select {
	case <-ch:
		return nil
	case <-timeout.C:
		s.inbox.put(event{op: opLost, at: time.Now()})
		return nil
	case <-s.done:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *fsn) close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.done)
	s.mu.Unlock()
	err := s.watcher.Close()
	s.wg.Wait()
	if s.cookies != "" {
		os.RemoveAll(s.cookies)
	}
	return err
}

// remoteFS knows nothing here: Source "poll" is the user's way out.
func remoteFS(string) string { return "" }

func probe(string) bool { return true }
