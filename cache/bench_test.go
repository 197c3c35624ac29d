package cache

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

// snapshotLike returns n bytes that compress like a snapshot's JSON.
func snapshotLike(n int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, `{"path":"example.com/module/internal/p%d","name":"p%d","stamp":"%016x%016x","imports":["fmt","strings","net/http"]},`,
			random.IntN(1000), random.IntN(1000), random.Uint64(), random.Uint64())
	}
	return b.Bytes()[:n]
}

// filledDir returns the directory of a closed store with entries small values
// and a snapshot of 0.8 MB.
func filledDir(b *testing.B, entries int) string {
	dir := b.TempDir()
	s, err := Open(Options{Dir: dir, minFree: 1})
	if err != nil {
		b.Fatal(err)
	}
	for i := range entries {
		if err := s.Put(Precheck, strconv.Itoa(i), snapshotLike(1500)); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Put(Snapshot, "ginsvc", snapshotLike(800<<10)); err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	return dir
}

func BenchmarkOpen(b *testing.B) {
	for _, entries := range []int{0, 1000, 20000} {
		b.Run(fmt.Sprintf("entries=%d", entries), func(b *testing.B) {
			dir := filledDir(b, entries)
			for b.Loop() {
				s, err := Open(Options{Dir: dir})
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if _, ok := s.Get(Snapshot, "ginsvc"); !ok {
					b.Fatal("the snapshot is gone")
				}
				s.Close()
				b.StartTimer()
			}
			b.ReportMetric(float64(residentMB()), "MB-RSS")
		})
	}
}

func BenchmarkClose(b *testing.B) {
	dir := filledDir(b, 1000)
	for b.Loop() {
		b.StopTimer()
		s, err := Open(Options{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		s.Put(Precheck, "one more", snapshotLike(1500))
		b.StartTimer()
		s.Close()
	}
}

func BenchmarkGet(b *testing.B) {
	s, err := Open(Options{Dir: filledDir(b, 1000)})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for _, entry := range []struct {
		name string
		kind Kind
		key  string
	}{{"snapshot=800kB", Snapshot, "ginsvc"}, {"precheck=1500B", Precheck, "7"}} {
		b.Run(entry.name, func(b *testing.B) {
			for b.Loop() {
				if _, ok := s.Get(entry.kind, entry.key); !ok {
					b.Fatal("a miss")
				}
			}
		})
	}
}

func BenchmarkPut(b *testing.B) {
	s, err := Open(Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for _, size := range []int{1500, 800 << 10} {
		b.Run(fmt.Sprintf("bytes=%d", size), func(b *testing.B) {
			value := snapshotLike(size)
			for i := 0; b.Loop(); i++ {
				if err := s.Put(Snapshot, strconv.Itoa(i%50), value); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// residentMB returns the resident memory of this process, 0 where /proc is not.
func residentMB() int {
	text, _ := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(fields[1])
	return pages * os.Getpagesize() >> 20
}
