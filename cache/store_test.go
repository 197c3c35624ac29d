package cache

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// noise returns bytes that do not compress.
func noise(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)}).Read(b)
	return b
}

func TestPutGet(t *testing.T) {
	values := map[string][]byte{
		"empty":           {},
		"one byte":        {0},
		"small":           []byte("small"),
		"compressible":    bytes.Repeat([]byte("go "), 1000),
		"inline limit":    noise(inlineLimit - recordHead),
		"beyond inline":   noise(inlineLimit - recordHead + 1),
		"one piece":       noise(pieceSize - recordHead),
		"two pieces":      noise(pieceSize),
		"a transaction":   noise(perCommit*pieceSize - recordHead),
		"beyond it":       noise(perCommit * pieceSize),
		"snapshot":        snapshotLike(5 << 20),
		"large":           noise(12 << 20),
		"key\x00\nü/\xff": []byte("any key"),
		"":                []byte("no key"),
	}
	for _, memory := range []bool{false, true} {
		t.Run(fmt.Sprintf("memory=%v", memory), func(t *testing.T) {
			o := Options{Dir: t.TempDir(), InMemory: memory}
			s := open(t, o)
			if s.Stats().InMemory != memory {
				t.Fatalf("in memory: %v", !memory)
			}
			for key, value := range values {
				expectMiss(t, s, Snapshot, key)
				put(t, s, Snapshot, key, value)
				expect(t, s, Snapshot, key, value)
				expectMiss(t, s, Recipe, key)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			expectMiss(t, s, Snapshot, "small")
			if err := s.Put(Snapshot, "small", nil); !errors.Is(err, ErrClosed) {
				t.Errorf("Put after Close: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if memory {
				if left, _ := os.ReadDir(o.Dir); len(left) > 0 {
					t.Errorf("%v is left on disk", left)
				}
				return
			}
			again := open(t, o)
			for key, value := range values {
				expect(t, again, Snapshot, key, value)
			}
		})
	}
}

func TestPutReplaces(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir()})
	for _, size := range []int{3 << 20, 10, 300 << 10, 0, 300 << 10, 2 << 20} {
		put(t, s, Archive, "key", noise(size))
		expect(t, s, Archive, "key", noise(size))
		if got, want := countPieces(t, s), (head{length: uint32(size + recordHead), pieces: [16]byte{1}}).count(); size > inlineLimit && got != want || size <= inlineLimit && got != 0 {
			t.Errorf("%d bytes: %d pieces are stored", size, got)
		}
	}
	s.Delete(Archive, "key")
	expectMiss(t, s, Archive, "key")
	if n := countPieces(t, s); n != 0 {
		t.Errorf("%d pieces are left", n)
	}
}

func TestTooLarge(t *testing.T) {
	s := open(t, Options{})
	for _, err := range []error{
		s.Put("", "key", nil),
		s.Put(Kind(strings.Repeat("k", 256)), "key", nil),
		s.Put(Recipe, strings.Repeat("k", maxKey+1), nil),
		s.Put(Recipe, "key", make([]byte, maxValue+1)),
	} {
		if !errors.Is(err, ErrTooLarge) {
			t.Errorf("Put: %v", err)
		}
	}
	put(t, s, Kind(strings.Repeat("k", 255)), strings.Repeat("k", maxKey), []byte("fits"))
	expect(t, s, Kind(strings.Repeat("k", 255)), strings.Repeat("k", maxKey), []byte("fits"))
}

// A caller may change what it put and what it got.
func TestValuesAreCopies(t *testing.T) {
	for _, o := range []Options{{}, {Dir: t.TempDir()}} {
		s := open(t, o)
		value := []byte("value")
		put(t, s, Recipe, "key", value)
		value[0] = 'X'
		got, _ := s.Get(Recipe, "key")
		got[1] = 'X'
		expect(t, s, Recipe, "key", []byte("value"))
	}
}

func TestEachAndStats(t *testing.T) {
	for _, o := range []Options{{}, {Dir: t.TempDir()}} {
		s := open(t, o)
		var want []string
		for i := range 50 {
			put(t, s, Precheck, strconv.Itoa(i), []byte{byte(i)})
			put(t, s, "prechecks", strconv.Itoa(i), nil) // a kind that begins alike
			want = append(want, strconv.Itoa(i))
		}
		var got []string
		s.Each(Precheck, func(key string, value []byte) bool {
			if len(value) != 1 || strconv.Itoa(int(value[0])) != key {
				t.Errorf("%q has %v", key, value)
			}
			s.Delete(Precheck, key) // the store may be used meanwhile
			got = append(got, key)
			return true
		})
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("Each visited %v", got)
		}
		n := 0
		s.Each("prechecks", func(string, []byte) bool { n++; return n < 7 })
		if n != 7 {
			t.Errorf("Each went on %d times after false at 7", n)
		}

		s.Get("prechecks", "1")
		s.Get("prechecks", "none")
		s.Get("prechecks", "none")
		stats := s.Stats()
		kind := stats.Kinds["prechecks"]
		if stats.Entries != 50 || kind.Entries != 50 || kind.Bytes < 50*recordHead || stats.Bytes != kind.Bytes ||
			kind.Hits != 1 || kind.Misses != 2 || stats.Budget <= 0 || stats.InMemory != (o.Dir == "") {
			t.Errorf("%+v", stats)
		}
	}
}

func TestLocked(t *testing.T) {
	o := Options{Dir: t.TempDir()}
	first := open(t, o)
	put(t, first, Recipe, "key", []byte("value"))
	if _, err := Open(o); !errors.Is(err, ErrLocked) {
		t.Fatalf("second Open: %v", err)
	}
	expect(t, first, Recipe, "key", []byte("value"))
	first.Close()
	second := open(t, o)
	expect(t, second, Recipe, "key", []byte("value"))
	if _, err := os.Stat(filepath.Join(o.Dir, "store.broken")); err == nil {
		t.Error("a locked store was put aside")
	}
}

// Even when only badger's own lock is in the way.
func TestLockedByBadger(t *testing.T) {
	o := Options{Dir: t.TempDir()}
	first := open(t, o)
	if err := os.Remove(filepath.Join(o.Dir, "lock")); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(o); !errors.Is(err, ErrLocked) {
		t.Fatalf("second Open: %v", err)
	}
	if !first.Healthy() {
		t.Error("the first store suffered")
	}
}

// Entries go in the order of their last use, whether that was in this process
// or before.
func TestEviction(t *testing.T) {
	const entries, size = 40, 10000
	for _, memory := range []bool{false, true} {
		t.Run(fmt.Sprintf("memory=%v", memory), func(t *testing.T) {
			now := time.Now()
			o := Options{Dir: t.TempDir(), InMemory: memory, Budget: 1 << 30, Now: func() time.Time { return now }}
			s := open(t, o)
			for i := range entries {
				put(t, s, Archive, strconv.Itoa(i), noise(size))
				now = now.Add(time.Second)
			}
			now = now.Add(touchAfter)
			s.Get(Archive, "0")
			if !memory {
				s.Close() // the use of 0 outlives the process
				s = open(t, o)
			}
			now = now.Add(time.Second)
			s.Get(Archive, "1")
			s.opts.Budget = entries / 2 * size
			s.evict()

			if bytes := s.Stats().Bytes; bytes > s.opts.Budget || bytes < s.opts.Budget/2 {
				t.Errorf("%d bytes are left of a budget of %d", bytes, s.opts.Budget)
			}
			for _, key := range []string{"0", "1", "39"} {
				expect(t, s, Archive, key, noise(size))
			}
			for _, key := range []string{"2", "3"} {
				expectMiss(t, s, Archive, key)
			}
		})
	}
}

func TestEvictionHappensByItself(t *testing.T) {
	const budget = 1 << 20
	s := open(t, Options{Dir: t.TempDir(), Budget: budget})
	for i := range 64 {
		put(t, s, Archive, strconv.Itoa(i), noise(64<<10))
	}
	waitFor(t, "the store to shrink", func() bool { return s.Stats().Bytes <= budget })
}

func TestSweep(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir()})
	value := noise(2 << 20)
	put(t, s, Archive, "kept", value)
	whole := countPieces(t, s)
	orphan := head{length: 1 << 20, pieces: [16]byte{1, 2, 3}}
	record := noise(1 << 20)
	// What a crash between the transactions of a Put leaves.
	if err := s.disk.commit(func(txn *badger.Txn) error { return setPieces(txn, orphan, record, 0, 3) }); err != nil {
		t.Fatal(err)
	}
	if n := countPieces(t, s); n != whole+3 {
		t.Fatalf("%d pieces", n)
	}
	s.evict()
	if n := countPieces(t, s); n != whole {
		t.Errorf("%d pieces are left, want %d", n, whole)
	}
	expect(t, s, Archive, "kept", value)
}

func TestConcurrentUse(t *testing.T) {
	for _, o := range []Options{{Budget: 2 << 20}, {Dir: t.TempDir(), Budget: 2 << 20}} {
		s := open(t, o)
		var wg sync.WaitGroup
		for worker := range 8 {
			wg.Go(func() {
				random := rand.New(rand.NewPCG(uint64(worker), 1))
				for range 150 {
					n := random.IntN(20)
					key := strconv.Itoa(n)
					value := bytes.Repeat([]byte{byte(n)}, 1+n*n*1000)
					switch random.IntN(6) {
					case 0, 1:
						if err := s.Put(Snapshot, key, value); err != nil {
							t.Error(err)
						}
					case 2:
						s.Delete(Snapshot, key)
					case 3:
						s.Stats()
					case 4:
						s.Each(Snapshot, func(string, []byte) bool { return random.IntN(4) > 0 })
					default:
						if got, ok := s.Get(Snapshot, key); ok && !bytes.Equal(got, value) {
							t.Errorf("key %s has %d bytes of %v", key, len(got), got[0])
						}
					}
				}
			})
		}
		wg.Go(s.maintain)
		wg.Go(s.evict)
		wg.Wait()
		var closers sync.WaitGroup // and Close may come at any time
		closers.Go(func() { s.Close() })
		closers.Go(func() { s.Get(Snapshot, "1") })
		closers.Go(func() { s.Put(Snapshot, "1", nil) })
		closers.Wait()
	}
}

// countPieces returns how many pieces of long records the store holds.
func countPieces(t *testing.T, s *Store) int {
	t.Helper()
	n := 0
	err := s.disk.db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{piecePrefix}})
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			n++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
