package triggers

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/hotreflex/hr/internal/watch"
)

func TestRuleMatches(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		glob, path string
		want       bool
	}{
		{"configs/**", "configs/a/b.yaml", true},
		{"./configs/**", "configs/a.yaml", true},
		{"configs", "configs/a/b.yaml", true},
		{"configs", "configs2/a.yaml", false},
		{"*.yaml", "a.yaml", true},
		{"*.yaml", "sub/a.yaml", false},
		{"**/*.yaml", "sub/deep/a.yaml", true},
		{"*.{yaml,toml}", "a.toml", true},
		{"../x/*.txt", "../x/a.txt", true},
		{filepath.Join(dir, "*.txt"), "a.txt", true},
	} {
		r, err := NewRule(c.glob, nil)
		if err != nil {
			t.Errorf("%s: %v", c.glob, err)
			continue
		}
		rs := &Rules{dir: dir}
		if got := rs.matches(r, filepath.Join(dir, c.path)); got != c.want {
			t.Errorf("%s names %s: %v, want %v", c.glob, c.path, got, c.want)
		}
	}
}

// TestRulesTake covers what a batch may hold: files, directories that stand for
// all below them, and lost events.
func TestRulesTake(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	conf, _ := NewRule("conf/**", nil)
	sigs, _ := NewRule("*.sig", os.Interrupt)
	rs := NewRules(dir, []Rule{conf, sigs})
	none := func(string) bool { return false }
	a, b := write("conf/a.yaml", "1"), write("conf/deep/b.yaml", "1")
	sig, other := write("x.sig", "1"), write("main.go", "1")
	past := time.Now().Add(time.Hour) // nothing is newer

	n, rest := rs.Take(watch.Batch{Paths: []string{a, other, sig}}, none, past)
	if !slices.Equal(n.Restart, []string{"a.yaml"}) || len(n.Signals) != 1 || !slices.Equal(n.Signals[0].Files, []string{"x.sig"}) {
		t.Errorf("files: %+v", n)
	}
	if !slices.Equal(rest.Paths, []string{other}) {
		t.Errorf("files: %v left, want %s", rest.Paths, other)
	}
	if n, _ = rs.Take(watch.Batch{Paths: []string{a}}, none, past); len(n.Restart) != 0 || !slices.Equal(n.Same, []string{a}) {
		t.Errorf("same content: %+v", n)
	}
	n, rest = rs.Take(watch.Batch{Paths: []string{filepath.Join(dir, "conf")}}, none, past)
	if !slices.Equal(n.Restart, []string{"b.yaml"}) || len(rest.Paths) != 1 {
		t.Errorf("directory: %+v, left %v", n, rest.Paths)
	}
	if err := os.RemoveAll(filepath.Join(dir, "conf", "deep")); err != nil {
		t.Fatal(err)
	}
	if n, _ = rs.Take(watch.Batch{Paths: []string{filepath.Dir(b)}}, none, past); !slices.Equal(n.Restart, []string{"b.yaml"}) {
		t.Errorf("directory that is gone: %+v", n)
	}
	write("conf/a.yaml", "2")
	if n, _ = rs.Take(watch.Batch{Rescan: true}, none, past); !slices.Equal(n.Restart, []string{"a.yaml"}) {
		t.Errorf("lost events: %+v", n)
	}
	write("conf/new.yaml", "1")
	if n, _ = rs.Take(watch.Batch{Rescan: true}, none, past); len(n.Restart) != 0 {
		t.Errorf("lost events, an old file: %+v", n)
	}
	if n, _ = rs.Take(watch.Batch{Rescan: true}, none, time.Now().Add(-time.Hour)); !slices.Equal(n.Restart, []string{"new.yaml"}) {
		t.Errorf("lost events, a file that is newer than the program: %+v", n)
	}
	input := func(path string) bool { return path == a }
	write("conf/a.yaml", "3")
	if n, rest = rs.Take(watch.Batch{Paths: []string{a}}, input, past); len(n.Restart) != 0 || len(rest.Paths) != 1 {
		t.Errorf("what the build reads is for the build: %+v, left %v", n, rest.Paths)
	}
}
