// Package watch turns file-system noise into settled batches of changed paths.
//
// It does not read files, hash them or know what a change means: a batch is a
// hint, and the consumer compares content. It is used by the front end, which
// owns one Watcher per session. All methods of Watcher may be called from any
// goroutine; Options.Settled, Options.Exclude and Options.Log are called from
// the watcher's own goroutines and must not call back into it.
//
// Three promises hold for every source:
//   - a change is reported, or Batch.Rescan is set, never neither;
//   - a directory in Batch.Paths stands for everything below it: a renamed or
//     removed directory is reported once, without its files;
//   - after Sync returns nil, everything written before the call is in the
//     batches received so far or in the one waiting in Batches.
package watch

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Batch is the settled set of paths that changed.
type Batch struct {
	Seq     uint64        // grows by at least one with each batch
	Paths   []string      // absolute, sorted, each once; a directory stands for all below it
	Rescan  bool          // events may be lost: compare every input, not only Paths
	First   time.Time     // when the first event was read, or came to be if a source held it back
	Silence time.Duration // time spent settling, from First to the report
	Held    time.Duration // of Silence, what the source took: reflex waits for 300 ms of it
}

// Options configures a Watcher. The zero value watches nothing until Add.
type Options struct {
	Trees []string // watched recursively (module roots); symlinks inside are not followed
	Dirs  []string // single directories outside the trees

	// Exclude prunes a directory or drops a file. nil is DefaultExclude.
	Exclude func(path string, dir bool) bool

	// Settled reports whether a regular file is whole, for example whether it
	// parses. It is asked before a path is reported; nil means always.
	Settled func(path string) bool

	// Gather is how long even a lone save waits for others, for consumers that
	// cannot take back what they do at the first. 0 is not at all.
	Gather time.Duration

	// Source is "native", "poll", "reflex" (the program of that name watches),
	// or "" for native with polling where the file system does not deliver
	// events.
	Source string

	// MaxTreeDirs bounds the kernel watches; further directories are polled.
	// 0 is 100000: at about 1 KiB of kernel memory each that is 100 MB.
	MaxTreeDirs int

	// Log receives one-line notices for the user. nil discards them.
	Log func(format string, args ...any)

	seams seams
}

// seams lets tests stand in for what a kernel does rarely.
type seams struct {
	beforeRead   func()                             // called by the native reader before each read
	addWatch     func(dir string) error             // non-nil error replaces inotify_add_watch
	delivers     func(dir string) bool              // replaces the probe for a file system without events
	remoteMounts func(dir string) map[string]string // replaces a look at the mounts below dir
	noInstance   bool                               // the kernel has no inotify instance left
	maxWait      time.Duration
}

const defaultMaxTreeDirs = 100_000

// Watcher reports changes until Close.
type Watcher struct {
	opts    Options
	inbox   *inbox
	native  source // or reflex; nil when polling only
	poll    *pollSource
	batches chan Batch
	flush   chan chan struct{}
	done    chan struct{} // closed by Close
	once    sync.Once
	wg      sync.WaitGroup
	git     *gitLock
}

// New starts watching. Every directory that exists is watched when it returns.
func New(o Options) (*Watcher, error) {
	if o.Exclude == nil {
		o.Exclude = DefaultExclude
	}
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	if o.MaxTreeDirs == 0 {
		o.MaxTreeDirs = defaultMaxTreeDirs
	}
	open := newNative
	switch o.Source {
	case "", "native", "poll":
	case "reflex":
		open = newReflex
	default:
		return nil, fmt.Errorf("watch: unknown source %q (want native, poll or reflex)", o.Source)
	}
	w := &Watcher{
		opts:    o,
		inbox:   newInbox(),
		batches: make(chan Batch, 1),
		flush:   make(chan chan struct{}),
		done:    make(chan struct{}),
		git:     &gitLock{},
	}
	w.poll = newPollSource(w.inbox, o.Exclude)
	if o.Source != "poll" {
		native, err := open(w.inbox, o, w.poll.adopt)
		if err != nil {
			if o.Source != "" {
				w.poll.close()
				return nil, fmt.Errorf("watch: %w", err)
			}
			o.Log("watching by polling: %v", err)
		} else {
			w.native = native
		}
	}
	for _, t := range o.Trees {
		if err := w.add(t, true); err != nil {
			w.closeSources()
			return nil, err
		}
	}
	for _, d := range o.Dirs {
		if err := w.add(d, false); err != nil {
			w.closeSources()
			return nil, err
		}
	}
	w.wg.Go(w.run)
	return w, nil
}

// Batches delivers settled batches. A batch that was not received yet grows
// when more settles: there is never more than one waiting, and none is lost.
// The channel is closed by Close.
func (w *Watcher) Batches() <-chan Batch { return w.batches }

// Add watches more single directories. One that does not exist yet is
// reported when it appears.
func (w *Watcher) Add(dirs ...string) error {
	for _, d := range dirs {
		if err := w.add(d, false); err != nil {
			return err
		}
	}
	return nil
}

func (w *Watcher) add(dir string, tree bool) error {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("watch %s: %w", dir, err)
	}
	w.git.include(abs)
	r := root{path: abs, tree: tree}
	if w.native != nil && (w.opts.Source != "" || w.delivers(abs)) {
		w.native.add(r)
		return nil
	}
	w.poll.add(r)
	return nil
}

// delivers decides whether events of dir can be trusted to arrive.
func (w *Watcher) delivers(dir string) bool {
	if w.opts.seams.delivers != nil {
		if w.opts.seams.delivers(dir) {
			return true
		}
		w.opts.Log("%s: events do not arrive here, polling every %v", dir, pollInterval)
		return false
	}
	if kind := remoteFS(dir); kind != "" {
		w.opts.Log("%s is on %s, where events of other machines do not arrive: polling every %v", dir, kind, pollInterval)
		return false
	}
	if !probe(dir) {
		w.opts.Log("%s: events do not arrive here, polling every %v", dir, pollInterval)
		return false
	}
	return true
}

// Sync returns after everything written before the call was read and is
// received or waiting in Batches. It does not wait for files to settle.
func (w *Watcher) Sync(ctx context.Context) error {
	if w.native != nil {
		if err := w.native.sync(ctx); err != nil {
			return fmt.Errorf("watch sync: %w", err)
		}
	}
	if err := w.poll.sync(ctx); err != nil {
		return fmt.Errorf("watch sync: %w", err)
	}
	reply := make(chan struct{})
	select {
	case w.flush <- reply:
	case <-w.done:
		return errClosed
	case <-ctx.Done():
		return fmt.Errorf("watch sync: %w", ctx.Err())
	}
	select {
	case <-reply:
		return nil
	case <-w.done:
		return errClosed
	}
}

var errClosed = errors.New("watch: closed")

// Close stops watching and waits for the watcher's goroutines.
func (w *Watcher) Close() error {
	var err error
	w.once.Do(func() {
		err = w.closeSources()
		close(w.done)
		w.wg.Wait()
		close(w.batches)
	})
	return err
}

func (w *Watcher) closeSources() error {
	var err error
	if w.native != nil {
		err = w.native.close()
	}
	w.poll.close()
	return err
}

// run owns the settle machine: it alone reads the inbox and fills batches.
func (w *Watcher) run() {
	s := newSettle(settleOptions{
		Settled: w.opts.Settled,
		Locked:  w.git.held,
		MaxWait: w.opts.seams.maxWait,
		Gather:  w.opts.Gather,
		Log:     w.opts.Log,
	})
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var seq uint64
	for {
		var reply chan struct{}
		select {
		case <-w.inbox.ready:
		case <-timer.C:
		case reply = <-w.flush:
		case <-w.done:
			return
		}
		for _, ev := range w.inbox.take() {
			s.add(ev)
		}
		b, ok := s.take(time.Now(), reply != nil)
		if ok {
			seq++
			b.Seq = seq
			w.publish(b)
		}
		if reply != nil {
			close(reply)
		}
		if next := s.next(); next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(max(0, time.Until(next)))
		}
	}
}

// publish puts b in the one-place channel, joined with what waits there. Only
// run sends, so the place is free after the receive.
func (w *Watcher) publish(b Batch) {
	select {
	case old := <-w.batches:
		b.Paths = append(b.Paths, old.Paths...)
		slices.Sort(b.Paths)
		b.Paths = slices.Compact(b.Paths)
		b.Rescan = b.Rescan || old.Rescan
		if old.First.Before(b.First) {
			b.Silence += b.First.Sub(old.First)
			b.First = old.First
		}
		b.Held = max(b.Held, old.Held)
	default:
	}
	w.batches <- b
}
