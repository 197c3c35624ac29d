package main

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
		r, err := newRule(c.glob, nil)
		if err != nil {
			t.Errorf("%s: %v", c.glob, err)
			continue
		}
		rs := &rules{dir: dir}
		if got := rs.matches(r, filepath.Join(dir, c.path)); got != c.want {
			t.Errorf("%s names %s: %v, want %v", c.glob, c.path, got, c.want)
		}
	}
}

func TestParseSignalOn(t *testing.T) {
	for word, want := range map[string]string{"INT:*.yaml": "SIGINT *.yaml", "sigint:a/**": "SIGINT a/**", "INT": "", "INT:": "", ":x": "", "NO:x": "", "INT:[": ""} {
		r, err := parseSignalOn(word)
		got := ""
		if err == nil {
			got = r.name + " " + r.glob
		}
		if got != want {
			t.Errorf("%s: %q, want %q (%v)", word, got, want, err)
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
	rs := newRules(dir, &superviseFlags{restartOn: []string{"conf/**"}, signalOn: []string{"INT:*.sig"}})
	none := func(string) bool { return false }
	a, b := write("conf/a.yaml", "1"), write("conf/deep/b.yaml", "1")
	sig, other := write("x.sig", "1"), write("main.go", "1")
	past := time.Now().Add(time.Hour) // nothing is newer

	n, rest := rs.take(watch.Batch{Paths: []string{a, other, sig}}, none, past)
	if !slices.Equal(n.restart, []string{"a.yaml"}) || len(n.signals) != 1 || !slices.Equal(n.signals[0].files, []string{"x.sig"}) {
		t.Errorf("files: %+v", n)
	}
	if !slices.Equal(rest.Paths, []string{other}) {
		t.Errorf("files: %v left, want %s", rest.Paths, other)
	}
	if n, _ = rs.take(watch.Batch{Paths: []string{a}}, none, past); len(n.restart) != 0 || !slices.Equal(n.same, []string{a}) {
		t.Errorf("same content: %+v", n)
	}
	n, rest = rs.take(watch.Batch{Paths: []string{filepath.Join(dir, "conf")}}, none, past)
	if !slices.Equal(n.restart, []string{"b.yaml"}) || len(rest.Paths) != 1 {
		t.Errorf("directory: %+v, left %v", n, rest.Paths)
	}
	if err := os.RemoveAll(filepath.Join(dir, "conf", "deep")); err != nil {
		t.Fatal(err)
	}
	if n, _ = rs.take(watch.Batch{Paths: []string{filepath.Dir(b)}}, none, past); !slices.Equal(n.restart, []string{"b.yaml"}) {
		t.Errorf("directory that is gone: %+v", n)
	}
	write("conf/a.yaml", "2")
	if n, _ = rs.take(watch.Batch{Rescan: true}, none, past); !slices.Equal(n.restart, []string{"a.yaml"}) {
		t.Errorf("lost events: %+v", n)
	}
	write("conf/new.yaml", "1")
	if n, _ = rs.take(watch.Batch{Rescan: true}, none, past); len(n.restart) != 0 {
		t.Errorf("lost events, an old file: %+v", n)
	}
	if n, _ = rs.take(watch.Batch{Rescan: true}, none, time.Now().Add(-time.Hour)); !slices.Equal(n.restart, []string{"new.yaml"}) {
		t.Errorf("lost events, a file that is newer than the program: %+v", n)
	}
	input := func(path string) bool { return path == a }
	write("conf/a.yaml", "3")
	if n, rest = rs.take(watch.Batch{Paths: []string{a}}, input, past); len(n.restart) != 0 || len(rest.Paths) != 1 {
		t.Errorf("what the build reads is for the build: %+v, left %v", n, rest.Paths)
	}
}
