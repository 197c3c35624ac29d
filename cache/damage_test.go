package cache

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const sampleEntries = 24

// sample returns the key and value of an entry of the sample store: short, long
// and, in the first half, one beyond a transaction. The second half must fit in
// a memtable.
func sample(i int) (string, []byte) {
	size := 1 + i*i*i*40
	if i == 5 {
		size = 2 << 20
	}
	return strconv.Itoa(i), noise(size)
}

// sampleDir returns a store as a killed process leaves it: half of the entries
// in tables, half in the log of a memtable.
func sampleDir(t *testing.T) string {
	dir := filepath.Join(t.TempDir(), "sample")
	s := open(t, Options{Dir: dir})
	for i := range sampleEntries {
		if i == sampleEntries/2 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, Options{Dir: dir})
		}
		key, value := sample(i)
		put(t, s, Snapshot, key, value)
	}
	return copyTree(t, dir)
}

// playVerify exits with 1 when the store gives a wrong answer.
func playVerify(dir string) int {
	s, err := Open(Options{Dir: dir, Log: printLine})
	if err != nil {
		fmt.Println("open:", err)
		return 1
	}
	hits := 0
	for i := range sampleEntries {
		key, want := sample(i)
		got, ok := s.Get(Snapshot, key)
		if ok && !bytes.Equal(got, want) {
			fmt.Println("wrong value for", key)
			return 1
		}
		if ok {
			hits++
		}
	}
	if err := s.Put(Recipe, "new", noise(1<<20)); err != nil {
		fmt.Println("put:", err)
		return 1
	}
	if got, ok := s.Get(Recipe, "new"); !ok || !bytes.Equal(got, noise(1<<20)) {
		fmt.Println("the new value is gone")
		return 1
	}
	if err := s.Close(); err != nil {
		fmt.Println("close:", err)
		return 1
	}
	fmt.Println("hits", hits)
	return 0
}

func TestSampleSurvivesKill(t *testing.T) {
	code, out := child(t, "verify", sampleDir(t))
	if want := fmt.Sprintln("hits", sampleEntries); code != 0 || out != want {
		t.Errorf("exit %d: %s; want %s", code, out, want)
	}
}

// Whatever happens to a file of the store, no value is wrong, and the store
// works again at the next start, or at the one after a crash.
//
// The race detector has nothing to see here but doubles the time of a hundred
// processes; make test runs this package without it as well.
func TestDamagedFiles(t *testing.T) {
	if raceDetector {
		t.Skip("runs without the race detector")
	}
	sampled := sampleDir(t)
	damages := []struct {
		name string
		do   func(path string, size int64) error
	}{
		{"removed", func(path string, _ int64) error { return os.Remove(path) }},
		{"emptied", func(path string, _ int64) error { return os.Truncate(path, 0) }},
		{"halved", func(path string, size int64) error { return os.Truncate(path, size/2) }},
		{"end cut", func(path string, size int64) error { return os.Truncate(path, max(0, size-9)) }},
		{"head flipped", func(path string, _ int64) error { return flip(path, 5) }},
		{"near head flipped", func(path string, _ int64) error { return flip(path, 300) }},
		{"middle flipped", func(path string, size int64) error { return flip(path, size/2) }},
		{"end flipped", func(path string, size int64) error { return flip(path, size-5) }},
		{"garbage", func(path string, size int64) error {
			return os.WriteFile(path, noise(int(min(size, 4<<20))), 0o600)
		}},
	}
	var files []string
	err := filepath.WalkDir(sampled, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			rel, _ := filepath.Rel(sampled, path)
			files = append(files, rel)
		}
		return err
	})
	if err != nil || len(files) < 5 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		for _, damage := range damages {
			t.Run(filepath.Base(file)+" "+damage.name, func(t *testing.T) {
				t.Parallel()
				dir := copyTree(t, sampled)
				path := filepath.Join(dir, file)
				info, err := os.Stat(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := damage.do(path, info.Size()); err != nil {
					t.Fatal(err)
				}
				code, out := child(t, "verify", dir)
				if code != 0 && code != 1 {
					t.Logf("the first start crashed: %.300s", out)
					code, out = child(t, "verify", dir)
				}
				if code != 0 {
					t.Errorf("exit %d: %.2000s", code, out)
				}
			})
		}
	}
}

// flip changes one bit, or nothing in a file too short.
func flip(path string, at int64) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, max(0, at)); err != nil {
		return nil
	}
	b[0] ^= 0x10
	_, err = f.WriteAt(b, max(0, at))
	return err
}

// playTruncate cuts the tables of an open store, whose pages then fault.
func playTruncate(dir string) int {
	var log logged
	s, err := Open(Options{Dir: dir, Log: log.Log})
	if err != nil {
		fmt.Println(err)
		return 3
	}
	tables, _ := filepath.Glob(filepath.Join(dir, "store", "*.sst"))
	for _, table := range tables {
		if err := os.Truncate(table, 0); err != nil {
			fmt.Println(err)
			return 3
		}
	}
	for i := range sampleEntries {
		key, want := sample(i)
		if got, ok := s.Get(Snapshot, key); ok && !bytes.Equal(got, want) {
			fmt.Println("wrong value for", key)
			return 1
		}
	}
	if s.Healthy() || !strings.Contains(log.String(), "going on in memory") {
		fmt.Println("nothing was noticed:", len(tables), "tables,", log.String())
		return 1
	}
	if err := s.Put(Recipe, "new", []byte("value")); err != nil {
		fmt.Println(err)
		return 1
	}
	if _, ok := s.Get(Recipe, "new"); !ok {
		fmt.Println("the new value is gone")
		return 1
	}
	s.Close()
	return 0
}

func TestTruncatedWhileOpen(t *testing.T) {
	dir := sampleDir(t)
	// Once through Open and Close, so that everything is in tables and badger
	// has nothing to write: a fault on a goroutine of its own would end the
	// process, which is what the file life is for.
	if code, out := child(t, "verify", dir); code != 0 {
		t.Fatalf("exit %d: %.2000s", code, out)
	}
	if code, out := child(t, "truncate", dir); code != 0 {
		t.Fatalf("exit %d: %.2000s", code, out)
	}
	code, out := child(t, "verify", dir)
	if code != 0 || !strings.Contains(out, "it broke while it was in use") {
		t.Errorf("the next start: exit %d: %.2000s", code, out)
	}
}

func TestCrashesCondemnTheStore(t *testing.T) {
	dir := sampleDir(t) // left by one process that did not close it
	if code, _ := child(t, "crash", dir); code != 2 {
		t.Fatalf("exit %d", code)
	}
	code, out := child(t, "verify", dir)
	if code != 0 || !strings.Contains(out, "ended 2 times") || !strings.Contains(out, "hits 0") {
		t.Errorf("exit %d: %s", code, out)
	}
	if code, out := child(t, "verify", dir); code != 0 || strings.Contains(out, "aside") {
		t.Errorf("the start after that: exit %d: %s", code, out)
	}
}

func TestLife(t *testing.T) {
	born := time.Now()
	tests := []struct {
		name string
		live func(l *life) // what the process before did
		want string
	}{
		{"nothing", func(*life) {}, ""},
		{"closed", func(l *life) { l.opening(); l.opened(born); l.closed() }, ""},
		{"died in Open", func(l *life) { l.opening() }, "opening it ended the process"},
		{"died young", func(l *life) { l.opening(); l.opened(born) }, ""},
		{"died young after another", func(l *life) { l.crashes = 1; l.opening(); l.opened(born) }, "ended 2 times"},
		{"died grown", func(l *life) { l.crashes = 1; l.opened(born); l.grown(born.Add(youth)) }, ""},
		{"not yet grown", func(l *life) { l.crashes = 1; l.opened(born); l.grown(born.Add(youth - 1)) }, "ended 2 times"},
		{"broke", func(l *life) { l.opened(born); l.broken() }, "it broke"},
		{"garbage", func(l *life) { os.WriteFile(l.path, noise(100), 0o600) }, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "life")
			test.live(&life{path: path})
			next := &life{path: path}
			got := next.verdict()
			if test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("verdict %q, want %q", got, test.want)
			}
			if got != "" && next.crashes != 0 {
				t.Error("the new store is blamed for the crashes of the old one")
			}
		})
	}
}

// The directory may be deleted, moved or replaced at any moment.
func TestDirectoryLost(t *testing.T) {
	tests := []struct {
		name string
		lose func(t *testing.T, dir string)
	}{
		{"deleted", func(t *testing.T, dir string) { remove(t, dir) }},
		{"store deleted", func(t *testing.T, dir string) { remove(t, filepath.Join(dir, "store")) }},
		{"moved", func(t *testing.T, dir string) {
			if err := os.Rename(dir, dir+".moved"); err != nil {
				t.Fatal(err)
			}
		}},
		{"replaced", func(t *testing.T, dir string) {
			remove(t, dir)
			successor := open(t, Options{Dir: dir})
			put(t, successor, Recipe, "of the successor", []byte("value"))
			t.Cleanup(func() {
				expect(t, successor, Recipe, "of the successor", []byte("value"))
				if !successor.Healthy() {
					t.Error("the successor suffered")
				}
			})
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var log logged
			dir := filepath.Join(t.TempDir(), "cache")
			s := open(t, Options{Dir: dir, Log: log.Log})
			put(t, s, Recipe, "before", []byte("value"))
			if !s.Healthy() {
				t.Fatal("unhealthy from the start")
			}
			test.lose(t, dir)
			if got, ok := s.Get(Recipe, "before"); ok && string(got) != "value" {
				t.Errorf("got %q", got)
			}
			for i := range 24 { // more than the memtables take
				if err := s.Put(Recipe, strconv.Itoa(i), noise(1<<20)); err != nil {
					t.Fatal(err)
				}
			}
			expect(t, s, Recipe, "23", noise(1<<20))
			if s.Healthy() || !s.Stats().InMemory {
				t.Error("the loss was not noticed")
			}
			if lines := log.String(); strings.Count(lines, "\n") > 0 || !strings.Contains(lines, "is gone") {
				t.Errorf("log: %s", lines)
			}
			began := time.Now()
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took > stuckAfter {
				t.Errorf("Close took %v", took)
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

// Where nothing can be written the store is kept in memory, and says so once.
func TestUnwritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	readOnly := filepath.Join(t.TempDir(), "mnt")
	tests := []struct {
		name string
		o    func(t *testing.T) Options
	}{
		{"below a file", func(*testing.T) Options { return Options{Dir: filepath.Join(file, "cache")} }},
		{"read-only", func(t *testing.T) Options {
			mount(t, readOnly, 8<<20)
			remountReadOnly(t, readOnly)
			return Options{Dir: readOnly, minFree: 1}
		}},
		{"read-only with a store in it", func(t *testing.T) Options {
			dir := filepath.Join(t.TempDir(), "mnt")
			mount(t, dir, 64<<20)
			s := open(t, Options{Dir: dir, minFree: 1})
			put(t, s, Recipe, "key", []byte("value"))
			s.Close()
			remountReadOnly(t, dir)
			return Options{Dir: dir, minFree: 1}
		}},
		{"too small", func(t *testing.T) Options {
			dir := filepath.Join(t.TempDir(), "mnt")
			mount(t, dir, 8<<20)
			return Options{Dir: dir}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := test.o(t)
			var log logged
			o.Log = log.Log
			s := open(t, o)
			put(t, s, Recipe, "key", []byte("value"))
			expect(t, s, Recipe, "key", []byte("value"))
			if !s.Stats().InMemory || !s.Healthy() {
				t.Errorf("in memory %v, healthy %v", s.Stats().InMemory, s.Healthy())
			}
			if lines := log.String(); strings.Count(lines, "\n") > 0 || !strings.Contains(lines, "in memory") {
				t.Errorf("log: %s", lines)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A disk that fills up stops the writes, not the reads and not the process.
func TestDiskFull(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mnt")
	mount(t, dir, 96<<20)
	var log logged
	s := open(t, Options{Dir: filepath.Join(dir, "cache"), Log: log.Log, minFree: 32 << 20})
	put(t, s, Recipe, "before", noise(1<<20))
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, noise(70<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := s.Put(Recipe, "full", noise(1<<20)); !errors.Is(err, ErrNoSpace) {
			t.Errorf("Put: %v", err)
		}
	}
	expectMiss(t, s, Recipe, "full")
	expect(t, s, Recipe, "before", noise(1<<20))
	if lines := log.String(); strings.Count(lines, "\n") > 0 || !strings.Contains(lines, "nothing is kept") {
		t.Errorf("log: %s", lines)
	}
	remove(t, filler)
	put(t, s, Recipe, "after", noise(1<<20))
	expect(t, s, Recipe, "after", noise(1<<20))
	if !s.Healthy() {
		t.Error("unhealthy")
	}
}

// playFull closes a store on a disk that others have filled to the last byte.
func playFull(dir string) int {
	s, err := Open(Options{Dir: filepath.Join(dir, "cache"), Log: printLine, minFree: 16 << 20})
	if err != nil {
		fmt.Println(err)
		return 3
	}
	for i := range sampleEntries {
		if err := s.Put(Snapshot, strconv.Itoa(i), noise(10000+i)); err != nil {
			fmt.Println(err)
			return 3
		}
	}
	os.WriteFile(filepath.Join(dir, "filler"), make([]byte, 128<<20), 0o600)
	if free, err := freeSpace(dir); free > 0 || err != nil {
		fmt.Println("free:", free, err)
		return 3
	}
	if err := s.Close(); err != nil {
		fmt.Println("close:", err)
		return 1
	}
	return 0
}

func TestCloseOnFullDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mnt")
	mount(t, dir, 96<<20)
	if code, out := child(t, "full", dir); code != 0 {
		t.Fatalf("exit %d: %.2000s", code, out)
	}
	remove(t, filepath.Join(dir, "filler"))
	var log logged
	s := open(t, Options{Dir: filepath.Join(dir, "cache"), Log: log.Log, minFree: 16 << 20})
	for i := range sampleEntries {
		expect(t, s, Snapshot, strconv.Itoa(i), noise(10000+i))
	}
	if log.String() != "" {
		t.Errorf("log: %s", &log)
	}
}
