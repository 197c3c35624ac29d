// Package daemon serves builds to front ends: it holds the sessions, lets one
// build run for all that want it, cancels what is superseded, and knows when to
// leave.
//
// It listens on nothing and starts no programs: cmd/hrd gives it a listener on
// the socket, cmd/hr without a daemon a pipe. The package engine does
// the work. All methods may be called from several goroutines at once.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hotreflex/hr/cache"
	"github.com/hotreflex/hr/internal/engine"
	"github.com/hotreflex/hr/internal/link"
	"github.com/hotreflex/hr/internal/place"
	"github.com/hotreflex/hr/internal/protocol"
)

// Options are a daemon's surroundings. The zero value serves from memory.
type Options struct {
	// CacheDir holds the store, archives and artifacts. With InMemory the store
	// is kept in memory, but archives and artifacts still are files.
	CacheDir string
	InMemory bool
	// RunDir is only told to clients.
	RunDir string
	// Passed tells of places that were passed over because others could change
	// what is in them.
	Passed []string
	// FastDirs are places for artifacts that are faster than CacheDir, best
	// first; unfit ones are passed over.
	FastDirs []string
	// ArtifactBudget and ArchiveBudget bound the files in bytes; 0 means the
	// defaults.
	ArtifactBudget, ArchiveBudget int64
	// Idle is how long the daemon stays without a session; 0 means for ever.
	Idle time.Duration
	// Self is how this executable is called to record a link.
	Self []string
	// NoIncremental leaves all links to the toolchain's linker.
	NoIncremental bool
	// CheckLinks has the incremental linker verify each of its links; reports of
	// what it finds lie in CacheDir.
	CheckLinks bool
	// Release lets a successor begin: called once when the daemon drains with
	// sessions still open, after the store was closed; may be nil.
	Release func()
	// Vanished tells that no client can reach this daemon any more; may be nil.
	Vanished func() bool
	Log      func(format string, args ...any)
}

// The default budgets: an artifact is 10 to 100 MB and lies in memory, so a
// dozen large ones are kept; archives are small and on disk.
const (
	defaultArtifactBudget = 1 << 30
	defaultArchiveBudget  = 2 << 30
	storeBudget           = 256 << 20
)

// lookEvery is how often the daemon looks whether it should leave: idle time is
// counted in minutes and a vanished socket must only not be kept for ever.
const lookEvery = 5 * time.Second

// Daemon serves one user.
type Daemon struct {
	opt     Options
	store   *cache.Store
	engine  *engine.Engine
	linker  *link.Incremental // nil for none
	arch    *cache.Files
	bins    *cache.Files
	started time.Time
	http    *http.Server
	life    context.Context // ends with Close; all builds hang on it
	cancel  context.CancelFunc
	flights sync.WaitGroup // builds
	wg      sync.WaitGroup // everything else
	leave   chan struct{}  // closed when the daemon should stop serving
	once    sync.Once

	counts struct{ fast, fallback, unneeded, failed, canceled atomic.Int64 }

	mu       sync.Mutex // guards fields below
	sessions map[string]*session
	benches  map[string]*bench
	draining bool
	quiet    time.Time // when the last session ended
	passed   []string  // places that were passed over, to be told once
}

// New opens the store and makes a daemon that does not serve yet.
func New(opt Options) (*Daemon, error) {
	if opt.Log == nil {
		opt.Log = func(string, ...any) {}
	}
	d := &Daemon{
		opt: opt, started: time.Now(), leave: make(chan struct{}),
		sessions: map[string]*session{}, benches: map[string]*bench{}, quiet: time.Now(), passed: opt.Passed,
	}
	var err error
	d.store, err = cache.Open(cache.Options{Dir: filepath.Join(opt.CacheDir, "store"), InMemory: opt.InMemory, Budget: storeBudget, Log: opt.Log})
	if errors.Is(err, cache.ErrLocked) {
		opt.Log("another process has the store: going on without")
		d.store, err = cache.Open(cache.Options{InMemory: true, Budget: storeBudget, Log: opt.Log})
	}
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	temp := filepath.Join(os.TempDir(), place.OwnName())
	d.arch, err = cache.OpenFiles(cache.FilesOptions{
		Dirs:   []string{filepath.Join(opt.CacheDir, "archives"), filepath.Join(temp, "archives")},
		Budget: orDefault(opt.ArchiveBudget, defaultArchiveBudget), Log: opt.Log, Unsafe: d.passedOver,
	})
	if err == nil {
		var dirs []string
		for _, dir := range opt.FastDirs {
			dirs = append(dirs, filepath.Join(dir, "bin"))
		}
		d.bins, err = cache.OpenFiles(cache.FilesOptions{
			Dirs:   append(dirs, filepath.Join(opt.CacheDir, "bin"), filepath.Join(temp, "bin")),
			Budget: orDefault(opt.ArtifactBudget, defaultArtifactBudget), NeedExec: true, Log: opt.Log, Unsafe: d.passedOver,
		})
	}
	if err != nil {
		d.store.Close()
		return nil, &protocol.Error{Code: protocol.CodeInternal, Message: strings.ReplaceAll(err.Error(), "\n", "; "), Hint: roomHint}
	}
	parts := engine.Options{Store: d.store, Archives: d.arch, Bins: d.bins, Self: opt.Self, Log: opt.Log}
	if !opt.NoIncremental {
		d.linker = link.NewIncremental(link.Options{Check: opt.CheckLinks, Reports: opt.CacheDir})
		parts.Incremental = d.linker
	}
	d.engine = engine.New(parts)
	d.life, d.cancel = context.WithCancel(context.Background())
	d.http = &http.Server{Handler: d.routes(), ReadHeaderTimeout: clientTime, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return d.life }}
	return d, nil
}

// Serve answers connections of l until Close, Drain has emptied the daemon, or
// it is idle for too long.
func (d *Daemon) Serve(l net.Listener) error {
	d.wg.Go(d.look)
	errc := make(chan error, 1)
	d.wg.Go(func() { errc <- d.http.Serve(l) })
	select {
	case <-d.leave:
		return nil
	case err := <-errc:
		if d.isDraining() {
			<-d.leave // the sessions that are open still have their connections
			return nil
		}
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return fmt.Errorf("serve: %w", err)
	}
}

func (d *Daemon) isDraining() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.draining
}

// Drain lets no new session begin; the daemon leaves when the open ones have
// ended, or now.
func (d *Daemon) Drain(now bool) {
	d.mu.Lock()
	first := !d.draining
	d.draining = true
	open := len(d.sessions)
	benches := slices.Collect(maps.Values(d.benches))
	d.mu.Unlock()
	if first {
		for _, b := range benches {
			b.save() // what is still to be saved would be lost
		}
	}
	if now || open == 0 {
		d.goAway("asked to stop")
		return
	}
	if !first {
		return
	}
	d.opt.Log("draining: %d sessions open", open)
	d.store.Close() // what it would remember is the successor's to learn
	if d.opt.Release != nil {
		d.opt.Release()
	}
}

// Close ends all sessions and builds and waits for them. The store is closed
// before the listener: whoever comes next wants it.
func (d *Daemon) Close() error {
	d.goAway("closed")
	d.cancel()
	d.flights.Wait()
	if d.linker != nil {
		d.linker.Close()
	}
	err := d.store.Close()
	d.arch.Close()
	d.bins.Close()
	err = errors.Join(err, d.http.Close())
	d.wg.Wait()
	return err
}

func (d *Daemon) goAway(why string) {
	d.once.Do(func() {
		d.opt.Log("leaving: %s", why)
		close(d.leave)
	})
}

// look leaves when nobody needs the daemon, and gives memory back in idle time.
func (d *Daemon) look() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	freed := false
	for {
		select {
		case <-d.leave:
			return
		case <-d.life.Done():
			return
		case <-tick.C:
		}
		d.mu.Lock()
		open, quiet, draining := len(d.sessions), time.Since(d.quiet), d.draining
		busy := false
		for key, b := range d.benches {
			busy = busy || b.busy()
			idle := b.idle()
			if idle > keepLinked && d.linker != nil {
				d.linker.Forget(key)
			}
			if idle > keepProgram {
				delete(d.benches, key)
			}
			freed = freed && !(idle > keepLinked && idle < keepLinked+2*lookEvery)
		}
		d.mu.Unlock()
		switch {
		case draining && open == 0:
			d.goAway("drained")
		case open == 0 && d.opt.Idle > 0 && quiet > d.opt.Idle:
			d.goAway("idle")
		case !draining && d.opt.Vanished != nil && d.opt.Vanished(): // one that drains gave its socket away
			d.goAway("the socket is gone")
		case !d.store.Healthy():
			d.Drain(false) // a successor opens a new store
		}
		if busy {
			freed = false
		} else if !freed {
			debug.FreeOSMemory()
			d.bins.Evict(d.inUse)
			d.arch.Evict(d.archivesInUse())
			freed = true
		}
	}
}

// inUse tells whether a session may still start the artifact.
func (d *Daemon) inUse(key string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, b := range d.benches {
		if p := b.program(); p != nil && engine.ArtifactFile(p.Artifact) == key {
			return true
		}
	}
	for _, s := range d.sessions {
		if s.good != nil && engine.ArtifactFile(*s.good) == key {
			return true
		}
	}
	return false
}

// archivesInUse tells of archives that the next build of a program takes as they
// are: those that nothing recompiles are never asked for by name.
func (d *Daemon) archivesInUse() func(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	used := map[string]bool{}
	for _, b := range d.benches {
		if p := b.program(); p != nil {
			for _, a := range p.Archives {
				used[a.ID] = true
			}
		}
	}
	return func(id string) bool { return used[id] }
}

func orDefault(v, def int64) int64 {
	if v > 0 {
		return v
	}
	return def
}
