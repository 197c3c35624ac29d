// Package cache keeps typed values durably: (kind, key) -> bytes under a size
// budget, and big files beside them.
//
// It knows nothing of builds and never decides what a key means: a key must
// name everything its value depends on. A damaged, unreadable or missing entry
// is a miss and never an error; the whole directory may be deleted at any
// moment. Store holds values (badger), Files holds plain files such as archives
// and programs. Called by package daemon and cmd/hrd. All methods may be used
// by several goroutines at once; one process at a time has a Store's directory,
// several may share the directories of Files.
package cache

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"

	"github.com/hotreflex/hr/internal/place"
)

// Kind is a name space of keys. The set is open; these are the known ones.
type Kind string

const (
	Snapshot Kind = "snapshot"
	Precheck Kind = "precheck"
	Recipe   Kind = "recipe"
	Artifact Kind = "artifact"
	Context  Kind = "context"
	Archive  Kind = "archive"
)

var (
	// ErrLocked says that another process has the directory open.
	ErrLocked = errors.New("the cache is in use by another process")
	// ErrNoSpace says that the file system is too full to be written safely.
	ErrNoSpace = errors.New("no space for the cache")
	// ErrTooLarge says that a kind, key or value exceeds what a Store takes.
	ErrTooLarge = errors.New("too large for the cache")
	// ErrClosed says that the Store was closed before.
	ErrClosed = errors.New("the cache is closed")
)

const (
	// defaultBudget holds the snapshots and prechecks of some hundred programs.
	defaultBudget = 256 << 20
	// memoryBudget bounds a Store without a disk: it shares the daemon's memory.
	memoryBudget = 32 << 20
	// maintainEvery is how long a vanished directory may go unnoticed when
	// nobody writes. Each time costs a few system calls.
	maintainEvery = 30 * time.Second
	// touchAfter is how coarsely the last use of an entry is kept on disk:
	// eviction asks for days, and every touch is a write.
	touchAfter = 6 * time.Hour
)

// Options say where and how large a Store is. The zero value keeps a small one
// in memory.
type Options struct {
	Dir      string // directory of its own, made when absent; empty means in memory
	InMemory bool   // keep nothing on disk, whatever Dir says
	Budget   int64  // bytes of all values as stored; 0 means 256 MiB

	// Log takes one line, without newline, on each thing a user may want to
	// know. Nil means silence.
	Log func(format string, args ...any)
	Now func() time.Time // nil means time.Now

	minFree int64 // bytes; 0 means minFreeSpace. For tests
}

// Store is a durable map. See the package comment for its promises.
type Store struct {
	opts Options
	lock *flock.Flock // nil when never on disk
	life *life        // nil when never on disk

	mu      sync.RWMutex // write-held to replace or close the engine; guards the fields below
	engine  engine
	disk    *diskEngine // engine, while that is on disk
	healthy bool
	closed  bool

	writing sync.Mutex // serializes everything that writes to the engine

	counting sync.Mutex // guards the fields below
	counts   map[Kind]*counts
	used     map[string]int64 // last use since Open by id, Unix seconds
	fresh    map[string]int64 // the part of used that was not offered to the engine yet

	unevicted atomic.Int64 // bytes put since the last eviction
	lowSpace  atomic.Bool  // the last Put found too little space
	kick      chan struct{}
	stop      chan struct{} // closed by Close
	wg        sync.WaitGroup
}

type counts struct{ hits, misses uint64 }

// Open opens the store in o.Dir, or makes it. The one error it knows is
// ErrLocked. A store that cannot be opened otherwise is put aside in Dir and an
// empty one made; where there is no room or no right to write, the store is
// kept in memory. Log says so.
func Open(o Options) (*Store, error) {
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Budget <= 0 {
		o.Budget = defaultBudget
	}
	if o.minFree == 0 {
		o.minFree = minFreeSpace
	}
	s := &Store{
		opts:    o,
		healthy: true,
		counts:  make(map[Kind]*counts),
		used:    make(map[string]int64),
		fresh:   make(map[string]int64),
		kick:    make(chan struct{}, 1),
		stop:    make(chan struct{}),
	}
	if o.InMemory || o.Dir == "" {
		s.engine = newMemoryEngine()
	} else if err := s.openDisk(); errors.Is(err, ErrLocked) {
		return nil, err
	} else if err != nil {
		o.Log("cache: kept in memory: %v", err)
		s.engine = newMemoryEngine()
	}
	s.wg.Go(s.run)
	return s, nil
}

// openDisk takes the lock of the directory and opens the engine in it. Our own
// lock comes first because badger reports a lock that is held like any other
// failure, and those lead to a fresh start.
func (s *Store) openDisk() (err error) {
	dir := s.opts.Dir
	d, err := place.Open(dir)
	if err != nil {
		return err
	}
	d.Close() // badger works by path, which nobody else can lead elsewhere
	if free, err := freeSpace(dir); err == nil && free < s.opts.minFree {
		return fmt.Errorf("%w: %d MB free in %s, %d wanted", ErrNoSpace, free>>20, dir, s.opts.minFree>>20)
	}
	lock := flock.New(filepath.Join(dir, "lock"), flock.SetPermissions(0o600))
	defer func() {
		if err != nil {
			lock.Close()
		}
	}()
	if locked, err := lock.TryLock(); err != nil {
		return err
	} else if !locked {
		return ErrLocked
	}
	s.life = &life{path: filepath.Join(dir, "life")}
	if why := s.life.verdict(); why != "" {
		if err := s.putAside(why); err != nil {
			return err
		}
	}
	if err := s.life.opening(); err != nil {
		return err // the directory cannot be written
	}
	s.disk, err = openDiskEngine(filepath.Join(dir, "store"), s.opts)
	if err != nil && !errors.Is(err, ErrLocked) {
		if err := s.putAside(err.Error()); err != nil {
			return err
		}
		s.disk, err = openDiskEngine(filepath.Join(dir, "store"), s.opts)
	}
	if err != nil {
		return err
	}
	if err := s.life.opened(s.opts.Now()); err != nil {
		s.disk.close()
		s.disk = nil
		return err
	}
	s.engine, s.lock = s.disk, lock
	return nil
}

// putAside makes room for an empty store. One generation is kept for whoever
// wants to know what happened.
func (s *Store) putAside(why string) error {
	store := filepath.Join(s.opts.Dir, "store")
	broken := filepath.Join(s.opts.Dir, "store.broken")
	if _, err := os.Lstat(store); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	why, _, _ = strings.Cut(why, "\n")
	s.opts.Log("cache: starting empty, the old one is put aside as %s: %s", broken, why)
	if err := os.RemoveAll(broken); err != nil {
		return err
	}
	return os.Rename(store, broken)
}

// Get returns a value of its own that the caller may keep and change.
func (s *Store) Get(kind Kind, key string) ([]byte, bool) {
	id, err := entryID(kind, key)
	if err != nil {
		return nil, false
	}
	value, ok := s.get(kind, key, id)
	s.counting.Lock()
	defer s.counting.Unlock()
	c := s.counts[kind]
	if c == nil {
		c = new(counts)
		s.counts[kind] = c
	}
	if ok {
		c.hits++
		now := s.opts.Now().Unix()
		s.used[id], s.fresh[id] = now, now
	} else {
		c.misses++
	}
	return value, ok
}

func (s *Store) get(kind Kind, key, id string) ([]byte, bool) {
	var record []byte
	err := s.withEngine(func(e engine) (err error) {
		record, err = e.load(id)
		return err
	})
	if errors.Is(err, errMissing) || errors.Is(err, ErrClosed) {
		return nil, false
	}
	if err == nil {
		value, err := decodeRecord(kind, key, record)
		if err == nil {
			return value, true
		}
	}
	s.Delete(kind, key) // damaged: it would only be read in vain again
	return nil, false
}

// Put keeps a value. An error is worth a line in a log and nothing more.
func (s *Store) Put(kind Kind, key string, value []byte) error {
	id, err := entryID(kind, key)
	if err != nil {
		return err
	}
	record, err := encodeRecord(kind, key, value)
	if err != nil {
		return err
	}
	now := s.opts.Now().Unix()
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.checkSpace(); err != nil {
		return err
	}
	err = s.withEngine(func(e engine) error { return e.store(id, record, now) })
	if err != nil {
		return fmt.Errorf("put %s: %w", kind, err)
	}
	if s.unevicted.Add(int64(len(record))) > s.budget()/16 {
		s.wake()
	}
	return nil
}

// Delete forgets a value.
func (s *Store) Delete(kind Kind, key string) {
	id, err := entryID(kind, key)
	if err != nil {
		return
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.checkSpace() != nil {
		return // a deletion is a write too
	}
	s.withEngine(func(e engine) error { return e.remove([]string{id}) })
}

// Each calls visit with every sound value of a kind, in no set order, until it
// returns false. visit may use the store.
func (s *Store) Each(kind Kind, visit func(key string, value []byte) bool) {
	prefix, err := entryID(kind, "")
	if err != nil {
		return
	}
	var keys []string
	s.withEngine(func(e engine) error {
		return e.scan(prefix, func(entry entry) { keys = append(keys, entry.id[len(prefix):]) })
	})
	for _, key := range keys {
		if value, ok := s.get(kind, key, prefix+key); ok && !visit(key, value) {
			return
		}
	}
}

// KindStats describe the entries of one kind.
type KindStats struct {
	Entries      int
	Bytes        int64 // as stored, compressed
	Hits, Misses uint64
}

// Stats describe a Store. Hits and misses count from Open.
type Stats struct {
	Kinds    map[Kind]KindStats
	Entries  int
	Bytes    int64 // as stored, compressed
	Budget   int64
	InMemory bool // nothing will be left when the process ends
}

// Stats counts the entries, which takes about a millisecond per thousand.
func (s *Store) Stats() Stats {
	stats := Stats{Kinds: make(map[Kind]KindStats), Budget: s.budget()}
	s.mu.RLock()
	stats.InMemory = s.disk == nil
	s.mu.RUnlock()
	s.withEngine(func(e engine) error {
		return e.scan("", func(entry entry) {
			kind := stats.Kinds[entry.kind()]
			kind.Entries++
			kind.Bytes += entry.size
			stats.Kinds[entry.kind()] = kind
			stats.Entries++
			stats.Bytes += entry.size
		})
	})
	s.counting.Lock()
	defer s.counting.Unlock()
	for name, c := range s.counts {
		kind := stats.Kinds[name]
		kind.Hits, kind.Misses = c.hits, c.misses
		stats.Kinds[name] = kind
	}
	return stats
}

// Healthy looks after the store and reports whether it still is where it was
// opened. False means that it was lost or broke meanwhile: it goes on in
// memory, and another process would do better.
func (s *Store) Healthy() bool {
	s.checkPlace()
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.healthy
}

// Close writes out what is pending. The next process may open the directory
// then, or, when the disk is full, once this process has ended.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	close(s.stop)
	s.wg.Wait()

	s.touch()
	full := s.checkSpace() != nil
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if !full { // else a flush could end us; what is not flushed stays in badger's logs
		err = s.engine.close()
	}
	if s.disk != nil && err == nil {
		err = s.life.closed()
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	s.engine, s.disk = closedEngine{}, nil
	return err
}

func (s *Store) budget() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.disk == nil {
		return min(s.opts.Budget, memoryBudget)
	}
	return s.opts.Budget
}
