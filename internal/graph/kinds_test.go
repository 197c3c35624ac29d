//go:build unix

package graph

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/hotreflex/hr/astcheck"
)

// TestKinds puts other things in the place of files and directories. What the go
// command refuses, or sees otherwise, has verdict header; it must be found by a
// look at all inputs, and by the path of the event.
func TestKinds(t *testing.T) {
	w := load(t)
	for _, dir := range []string{"page/files/sub", "elsewhere"} {
		if err := os.MkdirAll(w.path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	w.write(t, "elsewhere/a.txt", "a\n")
	page := w.s.Packages["example.com/m/page"]
	page.EmbedPatterns = append(page.EmbedPatterns, "files")
	page.readFiles(nil)
	w.s.Seal()

	socket := func(path string) error {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err == nil {
			l.SetUnlinkOnClose(false)
			err = l.Close()
		}
		return err
	}
	pipe := func(path string) error { return syscall.Mkfifo(path, 0o600) }
	link := func(to string) func(string) error {
		return func(path string) error { return os.Symlink(to, path) }
	}
	file := func(path string) error { return os.WriteFile(path, []byte("x\n"), 0o600) }
	dir := func(path string) error { return os.Mkdir(path, 0o700) }
	away := w.path("elsewhere/away")
	copied := func(path string) error {
		data, err := os.ReadFile(away)
		if err != nil {
			return err
		}
		return os.WriteFile(path, data, 0o600)
	}
	for _, c := range []struct {
		name  string
		path  string // moved away first if it is there
		put   func(path string) error
		want  astcheck.Verdict
		waits bool
	}{
		{"embedded file, again the same", "page/files/a.txt", copied, astcheck.Same, false},
		{"embedded file, a link to the same content", "page/files/a.txt", link("../../elsewhere/a.txt"), astcheck.Header, false},
		{"embedded file, a link to itself moved", "page/files/a.txt", link("../../elsewhere/away"), astcheck.Header, false},
		{"embedded file, a link to nothing", "page/files/a.txt", link("nothing"), astcheck.Header, false},
		{"embedded file, a socket", "page/files/a.txt", socket, astcheck.Header, false},
		{"embedded file, a pipe", "page/files/a.txt", pipe, astcheck.Header, false},
		{"embedded file, a device", "page/files/a.txt", link("/dev/null"), astcheck.Header, false},
		{"embedded file, a directory", "page/files/a.txt", dir, astcheck.Header, false},
		{"embedded directory, a link", "page/files", link("../elsewhere"), astcheck.Header, false},
		{"embedded directory, a link to itself moved", "page/files", link("../elsewhere/away"), astcheck.Header, false},
		{"embedded directory, a file", "page/files", file, astcheck.Header, false},
		{"embedded directory, another module", "page/files/go.mod", file, astcheck.Header, false},
		{"below an embedded directory, a pipe", "page/files/new", pipe, astcheck.Unused, false},
		{"below an embedded directory, a link", "page/files/new", link("a.txt"), astcheck.Unused, false},
		{"below an embedded directory, a file", "page/files/new", file, astcheck.Header, false},
		{"matched by a wildcard, a pipe", "page/files/new.txt", pipe, astcheck.Header, false},
		{"matched by a wildcard, a link to nothing", "page/files/new.txt", link("nothing"), astcheck.Header, false},
		{"package directory, another module", "leaf/go.mod", file, astcheck.Header, false},
		{"source file, a link to the same", "leaf/leaf.go", link("../elsewhere/away"), astcheck.Same, false},
		{"source file, a link to nothing", "leaf/leaf.go", link("nothing"), astcheck.Header, false},
		{"source file, a pipe", "leaf/leaf.go", pipe, astcheck.Header, true},
		{"source file, a link to a pipe", "leaf/leaf.go", func(path string) error {
			if err := pipe(path + ".pipe"); err != nil {
				return err
			}
			return os.Symlink("leaf.go.pipe", path)
		}, astcheck.Header, true},
		{"source file, a socket", "leaf/leaf.go", socket, astcheck.Header, false},
		{"source file, a directory", "leaf/leaf.go", dir, astcheck.Header, false},
		{"new source file, a directory", "leaf/new.go", dir, astcheck.Unused, false},
		{"new source file, a link to a directory", "leaf/new.go", link("../mid"), astcheck.Unused, false},
		{"new source file, a pipe", "leaf/new.go", pipe, astcheck.Header, true},
		{"new source file of another system, a pipe", "leaf/new_windows.go", pipe, astcheck.Unused, false},
		{"new C file, a pipe", "leaf/new.c", pipe, astcheck.Header, true},
		{"go.mod, a pipe", "go.mod", pipe, astcheck.Header, true},
		{"go.work, a pipe", "go.work", pipe, astcheck.Header, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := w.path(c.path)
			moved := os.Rename(path, away) == nil
			if err := c.put(path); err != nil {
				t.Fatal(err)
			}
			defer func() {
				os.RemoveAll(path + ".pipe")
				if err := os.RemoveAll(path); err != nil {
					t.Fatal(err)
				}
				if moved {
					if err := os.Rename(away, path); err != nil {
						t.Fatal(err)
					}
				}
			}()
			changes := append(w.s.Scan(), w.s.Judge(path))
			if got := Worst(changes); got != c.want && max(got, c.want) > astcheck.Same {
				t.Errorf("verdict %v, want %v: %+v", got, c.want, changes)
			}
			// The event names the directory: everything is compared then.
			if found := Worst(w.s.Scan()) == c.want || c.want <= astcheck.Same; !found {
				t.Errorf("a look at all inputs does not find it: %+v", w.s.Scan())
			}
			if c.path == "page/files" && !w.s.Holds(path) {
				t.Error("an event of the directory alone would mean nothing")
			}
			waits := false
			for _, ch := range changes {
				waits = waits || ch.Waits
			}
			if waits != c.waits {
				t.Errorf("the go command waits: %v, want %v: %+v", waits, c.waits, changes)
			}
		})
	}
	if changes := w.s.Scan(); Worst(changes) > astcheck.Same {
		t.Errorf("put back, it is not as it was: %+v", changes)
	}
}

// TestReadFileWaitsForNobody opens a pipe that nobody writes to.
func TestReadFileWaitsForNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(path); err == nil {
		t.Error("a pipe was read")
	}
}
