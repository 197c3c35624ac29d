package cache

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// engine is where records are kept: on disk or in memory. Reads may run at the
// same time as one another and as one write.
type engine interface {
	load(id string) ([]byte, error) // errMissing when there is none
	store(id string, record []byte, used int64) error
	remove(ids []string) error
	scan(prefix string, visit func(entry)) error
	touch(used map[string]int64) error
	close() error
}

// entry describes a record without reading it.
type entry struct {
	id   string
	size int64
	used int64 // Unix seconds
}

func (e entry) kind() Kind { return Kind(e.id[1 : 1+e.id[0]]) }

var errMissing = errors.New("no such entry")

// maxName bounds a kind, for its length is kept in one byte, and maxKey a key:
// badger takes 65000 bytes, and nothing that long is a sane key.
const (
	maxName = 255
	maxKey  = 4096
)

// entryID joins kind and key so that no two pairs meet.
func entryID(kind Kind, key string) (string, error) {
	if len(kind) == 0 || len(kind) > maxName || len(key) > maxKey {
		return "", fmt.Errorf("%w: a kind of %d bytes, a key of %d", ErrTooLarge, len(kind), len(key))
	}
	return string([]byte{byte(len(kind))}) + string(kind) + key, nil
}

// guard runs op and turns a panic into an error. Reading a mapped file that was
// truncated meanwhile faults; without SetPanicOnFault that ends the process.
func guard(op func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errBroken, r)
		}
	}()
	return op()
}

// errBroken says that an engine is of no more use.
var errBroken = errors.New("the store is broken")

// memoryEngine keeps records in a map.
type memoryEngine struct {
	mu      sync.Mutex // guards the field below
	entries map[string]memoryEntry
}

type memoryEntry struct {
	record []byte // never changed
	used   int64
}

func newMemoryEngine() *memoryEngine {
	return &memoryEngine{entries: make(map[string]memoryEntry)}
}

func (m *memoryEngine) load(id string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[id]
	if !ok {
		return nil, errMissing
	}
	return e.record, nil
}

func (m *memoryEngine) store(id string, record []byte, used int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries[id] = memoryEntry{record, used}
	return nil
}

func (m *memoryEngine) remove(ids []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		delete(m.entries, id)
	}
	return nil
}

func (m *memoryEngine) scan(prefix string, visit func(entry)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, e := range m.entries {
		if len(id) >= len(prefix) && id[:len(prefix)] == prefix {
			visit(entry{id, int64(len(id) + len(e.record)), e.used})
		}
	}
	return nil
}

func (m *memoryEngine) touch(used map[string]int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, at := range used {
		if e, ok := m.entries[id]; ok {
			e.used = max(e.used, at)
			m.entries[id] = e
		}
	}
	return nil
}

func (m *memoryEngine) close() error { return nil }

// closedEngine is what a closed Store has: every call fails alike.
type closedEngine struct{}

func (closedEngine) load(string) ([]byte, error)       { return nil, ErrClosed }
func (closedEngine) store(string, []byte, int64) error { return ErrClosed }
func (closedEngine) remove([]string) error             { return ErrClosed }
func (closedEngine) scan(string, func(entry)) error    { return ErrClosed }
func (closedEngine) touch(map[string]int64) error      { return ErrClosed }
func (closedEngine) close() error                      { return nil }
