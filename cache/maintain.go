package cache

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// minFreeSpace is what a file system must have left for a store to be opened or
// written, in bytes. Badger writes through mapped files: when the disk is full
// the process dies of SIGBUS instead of getting an error, so the margin covers
// all that it may still flush and compact, and what others write meanwhile.
const minFreeSpace = 256 << 20

// run does what is due, until Close.
func (s *Store) run() {
	tick := time.NewTicker(maintainEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-s.kick:
			s.evict()
		case <-tick.C:
			s.maintain()
		}
	}
}

// maintain looks whether the directory is still there, and writes down what
// should outlive a crash.
func (s *Store) maintain() {
	s.checkPlace()
	s.touch()
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.disk != nil {
		s.life.grown(s.opts.Now())
	}
}

// wake asks run for an eviction.
func (s *Store) wake() {
	select {
	case s.kick <- struct{}{}:
	default: // one is due already
	}
}

// withEngine runs op on the engine, and leaves a broken one for memory.
func (s *Store) withEngine(op func(engine) error) error {
	s.mu.RLock()
	e := s.engine
	err := guard(func() error { return op(e) })
	s.mu.RUnlock()
	if errors.Is(err, errBroken) {
		s.degrade(err)
	}
	return err
}

// degrade goes on in memory. The engine on disk is left as it is, unclosed:
// closing flushes, which is what it can no longer do, and would try for ever.
func (s *Store) degrade(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.disk == nil {
		return
	}
	s.opts.Log("cache: going on in memory: %v", why)
	if s.disk.inPlace() {
		s.life.broken() // the next to open it starts afresh
	}
	s.engine, s.disk, s.healthy = newMemoryEngine(), nil, false
}

// checkPlace goes on in memory when the directory was deleted or replaced.
func (s *Store) checkPlace() {
	s.mu.RLock()
	lost := s.disk != nil && !s.disk.inPlace()
	s.mu.RUnlock()
	if lost {
		s.degrade(fmt.Errorf("%s is gone", s.opts.Dir))
	}
}

// checkSpace returns ErrNoSpace when a write to the disk could fail half-way.
func (s *Store) checkSpace() error {
	s.checkPlace()
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.disk == nil {
		return nil
	}
	free, err := freeSpace(s.disk.dir)
	low := err == nil && free < s.opts.minFree
	if was := s.lowSpace.Swap(low); low && !was {
		s.opts.Log("cache: nothing is kept while less than %d MB are free in %s", s.opts.minFree>>20, s.opts.Dir)
	}
	if low {
		return ErrNoSpace
	}
	return nil
}

// touch offers the engine the last uses since the touch before.
func (s *Store) touch() {
	s.counting.Lock()
	used := s.fresh
	s.fresh = make(map[string]int64)
	s.counting.Unlock()
	s.writing.Lock()
	defer s.writing.Unlock()
	if len(used) > 0 && s.checkSpace() == nil {
		s.withEngine(func(e engine) error { return e.touch(used) })
	}
}

// evict deletes the entries that were not used for longest, down to 7/8 of the
// budget, so that the next Put does not call for it again.
func (s *Store) evict() {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.checkSpace() != nil {
		return
	}
	s.unevicted.Store(0)
	s.counting.Lock()
	used := maps.Clone(s.used)
	s.counting.Unlock()
	budget := s.budget()
	s.withEngine(func(e engine) error {
		if d, ok := e.(*diskEngine); ok {
			if err := d.sweep(); err != nil {
				return err
			}
		}
		var entries []entry
		var total int64
		err := e.scan("", func(entry entry) {
			entry.used = max(entry.used, used[entry.id])
			entries = append(entries, entry)
			total += entry.size
		})
		if err != nil || total <= budget {
			return err
		}
		slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.used, b.used) })
		var victims []string
		for _, entry := range entries {
			if total <= budget/8*7 {
				break
			}
			total -= entry.size
			victims = append(victims, entry.id)
		}
		s.forget(victims)
		return e.remove(victims)
	})
}

// forget drops the last uses of entries that are no more.
func (s *Store) forget(ids []string) {
	s.counting.Lock()
	defer s.counting.Unlock()
	for _, id := range ids {
		delete(s.used, id)
	}
}
