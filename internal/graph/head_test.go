package graph

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/hotreflex/hr/astcheck"
	"github.com/hotreflex/hr/tags"
)

// grow makes a file of that size of it, without content on disk.
func grow(t *testing.T, path, text string, size int64) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

// allocated returns how many bytes f takes from the heap.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestLargeFiles: a file that the build does not read, or only embeds, takes no
// memory of its size, whatever is asked of it.
func TestLargeFiles(t *testing.T) {
	const size, most = 256 << 20, 8 << 20
	dir := t.TempDir()
	c := tags.Context{GOOS: "linux", GOARCH: "amd64", GoVersion: "go1.26"}
	p := &Package{Path: "m", Name: "main", Dir: dir, Local: true, Files: map[string]*File{}, Listings: []*Listing{list(dir, false)}}
	s := (&Snapshot{Context: c, Target: "m", Dir: dir, Packages: map[string]*Package{"m": p}}).Seal()
	long := "// " + strings.Repeat("x", headSize) + "\n"
	for name, text := range map[string]string{
		"ignored.go":    "//go:build ignore\n\npackage main\n",
		"other.go":      "//go:build windows\n\n/* " + long + "*/ package main\n",
		"comments.go":   long + "//go:build ignore\n\n" + long + "package main\n",
		"documented.go": "package documentation\n",
	} {
		path := filepath.Join(dir, name)
		grow(t, path, text, size)
		used := allocated(func() {
			if ch := s.Judge(path); ch.Verdict != astcheck.Unused {
				t.Errorf("%s: %+v", name, ch)
			}
			if IsMain(dir, c) {
				t.Errorf("%s is no main package", name)
			}
		})
		if used > most {
			t.Errorf("%s: %d MB for one of %d", name, used>>20, size>>20)
		}
		os.Remove(path)
	}
	path := filepath.Join(dir, "data")
	grow(t, path, "x", size/8) // it is hashed whole, which takes time
	used := allocated(func() {
		f := readInput(path, Embed, nil)
		p.Files[path] = f
		f.Stamp.Racy = true
		if ch := p.judgeInput(f); !ch.Touched() || !f.Unmoved() {
			t.Errorf("the embedded file: %+v", ch)
		}
	})
	if used > most {
		t.Errorf("an embedded file takes %d MB", used>>20)
	}
}

// TestReadHead: what is cut off is decided by what stands above it.
func TestReadHead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.go")
	long := strings.Repeat("// a comment\n", headSize/8)
	for _, c := range []struct {
		text, head string
		cut        bool
	}{
		{"package a\n\nvar x = 1\n", "package a\n\nvar x = 1\n", false},
		{"", "", false},
		{"package abc\n" + long, "package abc\n", true},
		{long + "package abc // why\n" + long + long, long + "package abc\n", true},
		{long + "package abc // why\n", long + "package abc // why\n", false},
		{long + "not go\n", long + "not go\n", false},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if head, cut, err := readHead(path); string(head) != c.head || cut != c.cut || err != nil {
			t.Errorf("%.40q: %d bytes %.40q, %v, %v; want %d", c.text, len(head), head, cut, err, len(c.head))
		}
	}
}
