package cache

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// A diskEngine keeps each record in badger as a head, under headPrefix and the
// entry's id, and, when it is long, in pieces under piecePrefix, the name of
// the pieces and a number. Heads are what scans read and touches rewrite, so
// they stay small. Values stay below badger's value threshold: all of them live
// in its tables, and its value log, which needs collecting by hand, stays empty.
const (
	headPrefix  = 'h'
	piecePrefix = 'p'
	// inlineLimit is the longest record that is kept in its head.
	inlineLimit = 4 << 10
	// pieceSize lets four pieces go into one transaction, which may hold 15 %
	// of a memtable.
	pieceSize = 256 << 10
	perCommit = 4
	// stuckAfter is how long a write may take. A commit takes microseconds; one
	// that waits for a memtable to be flushed tens of milliseconds. When badger
	// cannot flush it tries again for ever.
	stuckAfter = 5 * time.Second
)

// diskEngine is an engine on badger. Writes must come one at a time.
type diskEngine struct {
	db    *badger.DB
	dir   string
	place fs.FileInfo // of dir when it was opened
	log   *badgerLog
}

// badgerOptions are small: badger's own defaults are those of a server (64 MB
// memtables, 256 MB block cache, 1 GB value log).
func badgerOptions(dir string) badger.Options {
	return badger.DefaultOptions(dir).
		WithMemTableSize(8 << 20).
		WithNumMemtables(2).
		WithValueThreshold(512 << 10). // must be at most 15 % of the memtable
		WithValueLogFileSize(16 << 20).
		WithCompression(options.None). // records are compressed; with it badger needs a block cache
		WithBlockCacheSize(0).
		WithNumCompactors(2). // one is refused
		WithNumLevelZeroTables(2).
		WithNumLevelZeroTablesStall(4).
		WithNumVersionsToKeep(1).
		WithDetectConflicts(false). // writes come one at a time
		WithMetricsEnabled(false).
		WithSyncWrites(false). // a power failure may cost entries, they are made again
		WithCompactL0OnClose(true).
		WithChecksumVerificationMode(options.OnTableRead). // damage shows at Open, not in the middle of a compaction
		WithExternalMagic(schema)
}

// openDiskEngine opens or makes the store in dir. A panic of badger is an error.
func openDiskEngine(dir string, o Options) (*diskEngine, error) {
	log := &badgerLog{log: o.Log, seen: make(map[string]bool)}
	e := &diskEngine{dir: dir, log: log}
	err := guard(func() (err error) {
		e.db, err = badger.Open(badgerOptions(dir).WithLogger(log))
		return err
	})
	if err != nil && strings.Contains(err.Error(), "Cannot acquire directory lock") {
		return nil, ErrLocked // badger wraps without %w
	}
	if err != nil {
		return nil, err
	}
	if e.place, err = os.Stat(dir); err != nil {
		return nil, err
	}
	return e, nil
}

// inPlace reports whether the directory is still the one that was opened.
func (d *diskEngine) inPlace() bool {
	now, err := os.Stat(d.dir)
	return err == nil && os.SameFile(now, d.place)
}

// readHead returns a head that is valid until the transaction ends.
func readHead(txn *badger.Txn, id string) (head, error) {
	item, err := txn.Get(headKey(id))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return head{}, errMissing
	}
	if err != nil {
		return head{}, err
	}
	var h head
	err = item.Value(func(b []byte) (err error) {
		h, err = decodeHead(b)
		return err
	})
	return h, err
}

func (d *diskEngine) load(id string) ([]byte, error) {
	var record []byte
	err := d.db.View(func(txn *badger.Txn) error {
		h, err := readHead(txn, id)
		if err != nil {
			return err
		}
		record = make([]byte, 0, h.length)
		record = append(record, h.inline...)
		for n := range h.count() {
			item, err := txn.Get(h.pieceKey(n))
			if err != nil {
				return fmt.Errorf("piece %d: %w", n, err)
			}
			err = item.Value(func(b []byte) error {
				record = append(record, b...)
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return record, err
}

// store writes the pieces first and the head last, so that what is visible is
// whole, and drops the pieces of the value before in the same transaction.
func (d *diskEngine) store(id string, record []byte, used int64) error {
	h := head{used: uint32(used), length: uint32(len(record))}
	if len(record) <= inlineLimit {
		h.inline = record
	} else {
		hash := sha256.New()
		hash.Write([]byte(id))
		hash.Write(record[:recordHead]) // holds the hash of the rest
		h.pieces = [16]byte(hash.Sum(nil))
	}
	old := d.piecesOf(id)
	last := h.count() / perCommit * perCommit // the pieces from here go with the head
	for n := 0; n < last; n += perCommit {
		err := d.commit(func(txn *badger.Txn) error { return setPieces(txn, h, record, n, n+perCommit) })
		if err != nil {
			return err
		}
	}
	return d.commit(func(txn *badger.Txn) error {
		if err := setPieces(txn, h, record, last, h.count()); err != nil {
			return err
		}
		if old.pieces != h.pieces {
			if err := deletePieces(txn, old); err != nil {
				return err
			}
		}
		return txn.Set(headKey(id), h.encode())
	})
}

func setPieces(txn *badger.Txn, h head, record []byte, from, to int) error {
	for n := from; n < to; n++ {
		piece := record[n*pieceSize : min((n+1)*pieceSize, len(record))]
		if err := txn.Set(h.pieceKey(n), piece); err != nil {
			return err
		}
	}
	return nil
}

func deletePieces(txn *badger.Txn, h head) error {
	for n := range h.count() {
		if err := txn.Delete(h.pieceKey(n)); err != nil {
			return err
		}
	}
	return nil
}

// piecesOf returns the head of a stored record without its inline bytes, or the
// zero head.
func (d *diskEngine) piecesOf(id string) head {
	var h head
	d.db.View(func(txn *badger.Txn) (err error) {
		h, err = readHead(txn, id)
		h.inline = nil
		return err
	})
	return h
}

func (d *diskEngine) remove(ids []string) error {
	for _, id := range ids {
		old := d.piecesOf(id)
		err := d.commit(func(txn *badger.Txn) error {
			if err := deletePieces(txn, old); err != nil {
				return err
			}
			return txn.Delete(headKey(id))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *diskEngine) scan(prefix string, visit func(entry)) error {
	return d.heads(prefix, func(id string, h head) {
		visit(entry{id, int64(len(id)) + headLength + int64(h.length), int64(h.used)})
	})
}

// heads calls visit with each head whose id has the prefix. Heads that cannot
// be read are left out; they are misses.
func (d *diskEngine) heads(prefix string, visit func(id string, h head)) error {
	return d.db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: headKey(prefix)})
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			item := it.Item()
			item.Value(func(b []byte) error {
				if h, err := decodeHead(b); err == nil {
					visit(string(item.Key()[1:]), h)
				}
				return nil
			})
		}
		return nil
	})
}

// touch writes down last uses that are much newer than what is stored.
func (d *diskEngine) touch(used map[string]int64) error {
	stale := make(map[string]uint32)
	err := d.db.View(func(txn *badger.Txn) error {
		for id, at := range used {
			h, err := readHead(txn, id)
			if err == nil && at-int64(h.used) >= int64(touchAfter.Seconds()) {
				stale[id] = uint32(at)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for id, at := range stale {
		err := d.commit(func(txn *badger.Txn) error {
			h, err := readHead(txn, id)
			if err != nil {
				return err
			}
			h.used = at
			return txn.Set(headKey(id), h.encode())
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sweep deletes the pieces that no head names: a crash came between.
func (d *diskEngine) sweep() error {
	named := make(map[[16]byte]bool)
	if err := d.heads("", func(_ string, h head) { named[h.pieces] = true }); err != nil {
		return err
	}
	var orphans [][]byte
	err := d.db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{piecePrefix}})
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			key := it.Item().Key()
			if len(key) != 21 || !named[[16]byte(key[1:17])] {
				orphans = append(orphans, it.Item().KeyCopy(nil))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, key := range orphans {
		if err := d.commit(func(txn *badger.Txn) error { return txn.Delete(key) }); err != nil {
			return err
		}
	}
	return nil
}

// commit runs one transaction and waits for it, but not for ever.
func (d *diskEngine) commit(change func(*badger.Txn) error) error {
	txn := d.db.NewTransaction(true)
	defer txn.Discard()
	if err := change(txn); err != nil {
		return err
	}
	done := make(chan error, 1)
	txn.CommitWith(func(err error) { done <- err })
	timer := time.NewTimer(stuckAfter)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return fmt.Errorf("%w: a write takes longer than %v", errBroken, stuckAfter)
	}
}

// close flushes what is in memory. When that cannot be done it gives up and
// leaves the rest to the log that badger keeps of its memtables.
func (d *diskEngine) close() error {
	done := make(chan error, 1)
	go func() { done <- guard(d.db.Close) }() // outlives us only when badger is stuck for good
	timer := time.NewTimer(stuckAfter)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return fmt.Errorf("%w: closing takes longer than %v", errBroken, stuckAfter)
	}
}

// badgerLog passes badger's errors on, each once: it repeats them every second.
type badgerLog struct {
	mu   sync.Mutex // guards the fields below
	log  func(format string, args ...any)
	seen map[string]bool // by format
}

func (l *badgerLog) Errorf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.seen[format] {
		l.seen[format] = true
		l.log("cache: badger: %s", strings.TrimSpace(fmt.Sprintf(format, args...)))
	}
}

func (*badgerLog) Warningf(string, ...any) {}
func (*badgerLog) Infof(string, ...any)    {}
func (*badgerLog) Debugf(string, ...any)   {}
