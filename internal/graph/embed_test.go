package graph

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestEmbeds(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"a", "tree/below", "tree/.git", "tree/_old", "many"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{"a/one.txt", "hello.txt", "tree/two.txt"} {
		if err := os.WriteFile(filepath.Join(dir, f), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		pattern string
		dirs    []string // whose names count
		yes, no []string // new files
	}{
		{"hello.txt", nil, []string{"hello.txt"}, []string{"hello.txt~", "a/hello.txt"}},
		{"missing.txt", []string{""}, []string{"missing.txt"}, []string{"other.txt"}},
		{"*.txt", []string{""}, []string{"b.txt", ".b.txt", "_b.txt"}, []string{"b.html", "a/b.txt", ".b.txt.swp"}},
		{"*/*.txt", []string{"", "a", "many", "tree"}, []string{"a/b.txt", "tree/.b.txt", "many"}, []string{"b.txt", "a/b.html", "tree/below/b.txt"}},
		{"tree", []string{"tree", "tree/below"}, []string{"tree/x", "tree/below/x", "tree/below"}, []string{"tree/.x", "tree/_x", "tree/.git/x", "tree/_old/x", "trees"}},
		{"all:tree", []string{"tree", "tree/.git", "tree/_old", "tree/below"}, []string{"tree/x", "tree/.x", "tree/.git/x", "tree/_old/x"}, []string{"trees", "x"}},
		{"tr*", []string{"", "tree", "tree/below"}, []string{"trees", "tree/x", "tree/below/x"}, []string{"tree/.x", "other"}},
		{"missing/*.txt", []string{""}, []string{"missing/x.txt"}, []string{"missing/x"}},
		{".", []string{"", "a", "many", "tree", "tree/below"}, []string{"x", "a/x"}, []string{".x", "a/_x"}},
	} {
		t.Run(c.pattern, func(t *testing.T) {
			p := &Package{Dir: dir, EmbedPatterns: []string{c.pattern}}
			var dirs []string
			for _, d := range c.dirs {
				dirs = append(dirs, filepath.Join(dir, filepath.FromSlash(d)))
			}
			if got := embedDirs(p); !slices.Equal(got, dirs) {
				t.Errorf("directories %q, want %q", got, dirs)
			}
			for _, name := range c.yes {
				if !p.embeds(filepath.Join(dir, filepath.FromSlash(name))) {
					t.Errorf("%s is not seen", name)
				}
			}
			for _, name := range c.no {
				if p.embeds(filepath.Join(dir, filepath.FromSlash(name))) {
					t.Errorf("%s counts", name)
				}
			}
		})
	}
}
