package watch

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// brief shows changes relative to dir: + for new, - for gone.
func brief(t *testing.T, dir string, changes []Change) string {
	t.Helper()
	var out []string
	for _, c := range changes {
		rel, err := filepath.Rel(dir, c.Path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.ToSlash(rel)
		switch {
		case c.Created:
			name = "+" + name
		case c.Removed:
			name = "-" + name
		}
		if c.Dir {
			name += "/"
		}
		out = append(out, name)
	}
	return strings.Join(out, " ")
}

func TestListing(t *testing.T) {
	const old = "a.go d/ d/b.go d/e/ d/e/c.go l"
	type edit func(f *fixture)
	write := func(name string) edit { return func(f *fixture) { f.write(name, "longer than before") } }
	for _, tc := range []struct {
		name string
		edit edit
		hint string // paths of the batch; "*" is a rescan
		want string
	}{
		{"write", write("a.go"), "a.go", "a.go"},
		{"write unhinted", write("a.go"), "", ""},
		{"write found by rescan", write("d/e/c.go"), "*", "d/e/c.go"},
		{"new file", write("n.go"), "n.go", "+n.go"},
		{"nothing", func(*fixture) {}, "a.go d d/b.go", ""},
		{"removed file", func(f *fixture) { f.remove("d/b.go") }, "d/b.go", "-d/b.go"},
		{"removed directory", func(f *fixture) { f.remove("d") }, "d", "-d/ -d/b.go -d/e/ -d/e/c.go"},
		{"removed directory by rescan", func(f *fixture) { f.remove("d/e") }, "*", "-d/e/ -d/e/c.go"},
		{"renamed directory", func(f *fixture) { f.rename("d", "x") }, "d x",
			"-d/ -d/b.go -d/e/ -d/e/c.go +x/ +x/b.go +x/e/ +x/e/c.go"},
		{"new directory named by its file", func(f *fixture) { f.mkdir("n/m"); f.write("n/m/a.go", "") }, "n/m/a.go",
			"+n/ +n/m/ +n/m/a.go"},
		{"replaced", func(f *fixture) { f.write("tmp", "x"); f.rename("tmp", "a.go") }, "a.go", "a.go"},
		{"file becomes directory", func(f *fixture) { f.remove("a.go"); f.mkdir("a.go"); f.write("a.go/x", "") }, "a.go",
			"+a.go/ +a.go/x"},
		{"directory becomes file", func(f *fixture) { f.remove("d"); f.write("d", "") }, "d", "+d -d/b.go -d/e/ -d/e/c.go"},
		{"excluded", func(f *fixture) { f.write("a.go~", ""); f.mkdir(".git"); f.write(".git/x", "") }, "a.go~ .git *", ""},
		{"outside", func(*fixture) {}, "../other", ""},
		{"root", write("a.go"), ".", "a.go"},
		{"file below what is gone", func(f *fixture) { f.remove("d") }, "d/e/c.go", "-d/e/c.go"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := &fixture{t: t, dir: realTemp(t)}
			past := time.Now().Add(-time.Hour)
			for name := range strings.FieldsSeq(old) {
				if strings.HasSuffix(name, "/") {
					f.mkdir(name)
					continue
				}
				f.write(name, "old")
				if err := os.Chtimes(f.path(name), past, past); err != nil {
					t.Fatal(err)
				}
			}
			l := NewListing(f.dir, nil)
			tc.edit(f)
			var b Batch
			for path := range strings.FieldsSeq(tc.hint) {
				if path == "*" {
					b.Rescan = true
				} else {
					b.Paths = append(b.Paths, f.path(path))
				}
			}
			if got := brief(t, f.dir, l.Update(b)); got != tc.want {
				t.Errorf("got  %q\nwant %q", got, tc.want)
			}
			if b.Rescan || tc.hint == "" || tc.name == "file below what is gone" {
				return
			}
			if got := brief(t, f.dir, l.Update(Batch{Rescan: true})); got != "" {
				t.Errorf("a rescan finds more: %q", got)
			}
		})
	}
}

// A change of mode is none; a write in the same tick of the clock is one.
func TestListingTellsWritesFromModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("file modes mean something else there")
	}
	f := &fixture{t: t, dir: realTemp(t)}
	f.write("a.go", "1")
	l := NewListing(f.dir, nil)
	b := Batch{Paths: []string{f.path("a.go")}}
	if err := os.Chmod(f.path("a.go"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := brief(t, f.dir, l.Update(b)); got != "" {
		t.Errorf("chmod is %q", got)
	}
	for i := range 200 {
		f.write("a.go", string(rune('0'+i%2)))
		if got := brief(t, f.dir, l.Update(b)); got != "a.go" {
			t.Fatalf("write %d is %q", i, got)
		}
	}
}

func TestListingFollowsLinksForTheirKind(t *testing.T) {
	f := &fixture{t: t, dir: realTemp(t)}
	f.mkdir("d")
	f.write("d/x", "")
	l := NewListing(f.dir, nil)
	for name, target := range map[string]string{"todir": "d", "tofile": "d/x", "nowhere": "gone"} {
		if err := os.Symlink(target, f.path(name)); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	b := Batch{Paths: []string{f.path("nowhere"), f.path("todir"), f.path("tofile")}}
	if got, want := brief(t, f.dir, l.Update(b)), "+todir/ +tofile"; got != want {
		t.Errorf("got %q want %q", got, want)
	}
}
