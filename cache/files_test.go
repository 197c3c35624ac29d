package cache

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hotreflex/hr/internal/place"
)

const (
	keyA = "aaaaaaaaaaaaaaaa"
	keyB = "bbbbbbbbbbbbbbbb/ginsvc"
)

func openFiles(t *testing.T, o FilesOptions) *Files {
	t.Helper()
	if o.Dirs == nil {
		o.Dirs = []string{filepath.Join(t.TempDir(), "files")}
	}
	if o.minFree == 0 {
		o.minFree = 1
	}
	f, err := OpenFiles(o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// commit writes and commits one file.
func commit(t *testing.T, f *Files, key string, text []byte) string {
	t.Helper()
	p, err := f.New(key)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Abort()
	if err := os.WriteFile(p.Path(), text, 0o700); err != nil {
		t.Fatal(err)
	}
	path, err := p.Commit()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func expectFile(t *testing.T, f *Files, key string, want []byte) {
	t.Helper()
	path, ok := f.Path(key)
	if !ok {
		t.Errorf("%s is gone", key)
		return
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s has %d bytes, %v; want %d", key, len(got), err, len(want))
	}
}

func expectNoFile(t *testing.T, f *Files, key string) {
	t.Helper()
	if path, ok := f.Path(key); ok {
		t.Errorf("%s is still there", path)
	}
}

// leftovers returns the temporary files in a place.
func leftovers(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, tempPrefix+"*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestFiles(t *testing.T) {
	f := openFiles(t, FilesOptions{NeedExec: true})
	for _, key := range []string{keyA, keyB} {
		expectNoFile(t, f, key)
		path := commit(t, f, key, []byte("first"))
		if want := filepath.Join(f.Dir(), key); path != want {
			t.Errorf("committed as %s, want %s", path, want)
		}
		expectFile(t, f, key, []byte("first"))
		commit(t, f, key, []byte("second"))
		expectFile(t, f, key, []byte("first")) // it may be running
	}
	if stats := f.Stats(); stats.Entries != 2 || stats.Bytes != 10 || stats.Budget <= 0 || stats.Dir != f.Dir() {
		t.Errorf("%+v", stats)
	}
	again := openFiles(t, FilesOptions{Dirs: []string{f.Dir()}})
	expectFile(t, again, keyB, []byte("first"))
	again.Remove(keyB)
	expectNoFile(t, f, keyB)
	if _, err := os.Stat(filepath.Join(f.Dir(), "bbbbbbbbbbbbbbbb")); err == nil {
		t.Error("the directory around the file is left")
	}
	if left := leftovers(t, f.Dir()); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestBadKeys(t *testing.T) {
	f := openFiles(t, FilesOptions{})
	for _, key := range []string{
		"", "aaaa", "../aaaaaaaa", "aaaaaaaa/", "aaaaaaaa/..", "aaaaaaaa/.x", "aaaaaaaa/a/b", "/aaaaaaaa",
		"AAAAAAAA", "aaaaaaag", "aaaaaaaa/a\\b", "aaaaaaaa/a\x00", strings.Repeat("a", 129), "aaaaaaaa/" + strings.Repeat("n", 256),
	} {
		if _, err := f.New(key); err == nil {
			t.Errorf("New(%q) is taken", key)
		}
		if _, ok := f.Path(key); ok {
			t.Errorf("Path(%q) is found", key)
		}
		f.Remove(key)
	}
	commit(t, f, "aaaaaaaa/name with spaces ü", []byte("x"))
	expectFile(t, f, "aaaaaaaa/name with spaces ü", []byte("x"))
}

func TestPendingEnds(t *testing.T) {
	f := openFiles(t, FilesOptions{})
	p, err := f.New(keyA)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(p.Path()); err == nil {
		t.Error("something lies where the tool wants to write")
	}
	if _, err := p.Commit(); err == nil {
		t.Error("a file that was never written is committed")
	}
	for name, write := range map[string]func(path string) error{
		"empty":     func(path string) error { return os.WriteFile(path, nil, 0o700) },
		"directory": func(path string) error { return os.Mkdir(path, 0o700) },
		"link":      func(path string) error { return os.Symlink("/etc/passwd", path) },
	} {
		p, err := f.New(keyA)
		if err != nil {
			t.Fatal(err)
		}
		if err := write(p.Path()); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Commit(); err == nil {
			t.Errorf("%s is committed", name)
		}
	}
	p, err = f.New(keyA)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.Path(), []byte("half"), 0o700); err != nil {
		t.Fatal(err)
	}
	p.Abort()
	p.Abort()
	expectNoFile(t, f, keyA)
	if left := leftovers(t, f.Dir()); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// A file that changed in any way after its commit is a miss, and can be
// committed anew.
func TestDamagedFile(t *testing.T) {
	text := noise(10000)
	for name, damage := range map[string]func(path string) error{
		"flipped": func(path string) error { return flip(path, 5000) },
		"cut":     func(path string) error { return os.Truncate(path, 5000) },
		"emptied": func(path string) error { return os.Truncate(path, 0) },
		"longer":  func(path string) error { return os.Truncate(path, 10001) },
		"cut, with its time restored": func(path string) error {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			if err := os.Truncate(path, 5000); err != nil {
				return err
			}
			return os.Chtimes(path, time.Now(), info.ModTime())
		},
		"replaced": func(path string) error {
			if err := os.Remove(path); err != nil {
				return err
			}
			return os.WriteFile(path, text, 0o700)
		},
		"a link": func(path string) error {
			if err := os.Rename(path, path+"0"); err != nil {
				return err
			}
			return os.Symlink(path+"0", path)
		},
		"of another key": func(path string) error {
			return os.Rename(filepath.Join(filepath.Dir(path), "cccccccccccccccc"), path)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := openFiles(t, FilesOptions{})
			path := commit(t, f, keyA, text)
			commit(t, f, "cccccccccccccccc", text)
			expectFile(t, f, keyA, text)
			if err := damage(path); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(name, "cut") { // found by Commit as well as by Path
				commit(t, f, keyA, text)
				expectFile(t, f, keyA, text)
				return
			}
			expectNoFile(t, f, keyA)
			commit(t, f, keyA, text)
			expectFile(t, f, keyA, text)
		})
	}
}

func TestFilesDirLost(t *testing.T) {
	f := openFiles(t, FilesOptions{})
	commit(t, f, keyB, []byte("text"))
	p, err := f.New(keyA)
	if err != nil {
		t.Fatal(err)
	}
	remove(t, f.Dir())
	if _, err := p.Commit(); err == nil {
		t.Error("a lost file is committed")
	}
	expectNoFile(t, f, keyB)
	f.Evict(nil)
	if stats := f.Stats(); stats.Entries != 0 {
		t.Errorf("%+v", stats)
	}
	commit(t, f, keyB, []byte("text"))
	expectFile(t, f, keyB, []byte("text"))
}

func TestFilesEvict(t *testing.T) {
	now := time.Now()
	f := openFiles(t, FilesOptions{Budget: 5500, Now: func() time.Time { return now }})
	key := func(i int) string { return fmt.Sprintf("%016x/program", i) }
	for i := range 10 {
		commit(t, f, key(i), noise(1000))
		now = now.Add(time.Hour)
	}
	expectFile(t, f, key(0), noise(1000)) // used again
	stranger := filepath.Join(f.Dir(), "README")
	dead := filepath.Join(f.Dir(), tempPrefix+rand.Text())
	writing := filepath.Join(f.Dir(), tempPrefix+"writing")
	for _, path := range []string{stranger, dead, writing} {
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	os.Chtimes(dead, now.Add(-2*abandoned), now.Add(-2*abandoned))
	os.Chtimes(writing, now, now)

	f.Evict(func(k string) bool { return k == key(2) })
	for i := range 10 {
		if kept := i == 0 || i == 2 || i >= 7; kept {
			expectFile(t, f, key(i), noise(1000))
		} else {
			expectNoFile(t, f, key(i))
			if exists(filepath.Join(f.Dir(), fmt.Sprintf("%016x", i))) {
				t.Errorf("the directory around file %d is left", i)
			}
		}
	}
	if !exists(stranger) || !exists(writing) || exists(dead) {
		t.Errorf("stranger %v, writing %v, dead %v", exists(stranger), exists(writing), exists(dead))
	}

	f.opts.Budget = 1
	f.Evict(nil) // all were used a moment ago
	expectFile(t, f, key(9), noise(1000))
	now = now.Add(spared)
	f.Evict(nil)
	if stats := f.Stats(); stats.Entries != 0 {
		t.Errorf("%+v", stats)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func TestFilesConcurrentUse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	var wg sync.WaitGroup
	for range 4 { // as four processes would
		now := time.Now().Add(-time.Hour)
		f := openFiles(t, FilesOptions{Dirs: []string{dir}, Budget: 20000, Now: func() time.Time { return now }})
		wg.Go(func() {
			for i := range 100 {
				key := fmt.Sprintf("%016x/program", i%10)
				text := bytes.Repeat([]byte{byte(i % 10)}, 4000)
				p, err := f.New(key)
				if err != nil {
					t.Error(err)
					return
				}
				if err := os.WriteFile(p.Path(), text, 0o700); err != nil {
					t.Error(err)
				}
				if _, err := p.Commit(); err != nil {
					t.Error(err)
				}
				if path, ok := f.Path(key); ok {
					if got, err := os.ReadFile(path); err == nil && !bytes.Equal(got, text) {
						t.Errorf("%s has %d bytes of others", key, len(got))
					}
				}
				f.Evict(nil)
			}
		})
	}
	wg.Wait()
	if left := leftovers(t, dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// The first place that is good for programs is taken, with one line on each
// that is not.
func TestFilesPlaces(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("places have no owner and mode on Windows")
	}
	base := t.TempDir()
	good := filepath.Join(base, "deep", "good")
	open := filepath.Join(base, "open")
	file := filepath.Join(base, "file")
	link := filepath.Join(base, "link")
	for _, err := range []error{
		os.Mkdir(open, 0o700), os.Chmod(open, 0o777), os.WriteFile(file, nil, 0o600), os.Symlink(base, link),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	bad := []string{open, file, link, filepath.Join(file, "below"), "relative"}
	if os.Geteuid() == 0 {
		foreign := filepath.Join(base, "foreign")
		if err := errors.Join(os.Mkdir(foreign, 0o700), os.Chown(foreign, 12345, 12345)); err != nil {
			t.Fatal(err)
		}
		bad = append(bad, foreign)
	}
	var log logged
	f := openFiles(t, FilesOptions{Dirs: append(bad, good), NeedExec: true, Log: log.Log})
	if f.Dir() != good {
		t.Errorf("chose %s", f.Dir())
	}
	if len(log.lines) != len(bad) {
		t.Errorf("log: %s", &log)
	}
	if _, err := OpenFiles(FilesOptions{Dirs: bad}); err == nil {
		t.Error("a bad place is taken")
	}
	if _, err := OpenFiles(FilesOptions{}); err == nil {
		t.Error("no place is enough")
	}
	if left := leftovers(t, good); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestFilesNoexec(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mnt")
	mountWith(t, dir, 8<<20, noexec)
	good := filepath.Join(t.TempDir(), "good")
	dirs := []string{filepath.Join(dir, "files"), good}
	if f := openFiles(t, FilesOptions{Dirs: dirs, NeedExec: true}); f.Dir() != good {
		t.Errorf("programs go to %s", f.Dir())
	}
	if f := openFiles(t, FilesOptions{Dirs: dirs}); f.Dir() != dirs[0] {
		t.Errorf("archives go to %s", f.Dir())
	}
}

// A place that fills up is left for the next; a write that fails half-way
// leaves nothing behind.
func TestFilesDiskFull(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mnt")
	mount(t, dir, 16<<20)
	small, large := filepath.Join(dir, "files"), filepath.Join(t.TempDir(), "large")
	f := openFiles(t, FilesOptions{Dirs: []string{small}, minFree: 8 << 20})
	p, err := f.New(keyA)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.Path(), noise(32<<20), 0o700); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("write: %v", err)
	}
	p.Abort()
	commit(t, f, keyA, noise(10<<20))
	commit(t, f, keyB, noise(1<<20)) // less than is wanted, and room all the same
	p, err = f.New("cccccccccccccccc")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.Path(), noise(4500<<10), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := f.New("dddddddddddddddd"); !errors.Is(err, ErrNoSpace) {
		t.Errorf("New: %v", err)
	}
	p.Abort()
	f.Remove(keyB)

	both := openFiles(t, FilesOptions{Dirs: []string{small, large}, minFree: 4 << 20})
	both.opts.minFree = 8 << 20
	path := commit(t, both, keyB, noise(1<<20))
	if filepath.Dir(filepath.Dir(path)) != large {
		t.Errorf("committed as %s", path)
	}
	expectFile(t, both, keyA, noise(10<<20))
	expectFile(t, both, keyB, noise(1<<20))
	if left := leftovers(t, small); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// A program may be evicted while it runs.
func TestFilesRunningProgram(t *testing.T) {
	f := openFiles(t, FilesOptions{NeedExec: true})
	if runtime.GOOS == "windows" {
		t.Skip("a running program cannot be deleted on Windows")
	}
	path := commit(t, f, keyB, []byte("#!/bin/sh\necho ready\nread line\necho $line\n"))
	cmd := exec.Command(path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(pipe)
	if line, err := out.ReadString('\n'); line != "ready\n" {
		t.Errorf("%q, %v", line, err)
	}
	f.Remove(keyB)
	fmt.Fprintln(in, "still here")
	if line, err := out.ReadString('\n'); line != "still here\n" {
		t.Errorf("%q, %v", line, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func BenchmarkFilesPath(b *testing.B) {
	f, err := OpenFiles(FilesOptions{Dirs: []string{filepath.Join(b.TempDir(), "files")}})
	if err != nil {
		b.Fatal(err)
	}
	p, err := f.New(keyB)
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(p.Path(), []byte("x"), 0o700); err != nil {
		b.Fatal(err)
	}
	if _, err := p.Commit(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, ok := f.Path(keyB); !ok {
			b.Fatal("a miss")
		}
	}
}

func BenchmarkOpenFiles(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "files")
	for b.Loop() {
		if _, err := OpenFiles(FilesOptions{Dirs: []string{dir}, NeedExec: true}); err != nil {
			b.Fatal(err)
		}
	}
}

// What processes that died have left unfinished goes with the next start; what
// is being written stays.
func TestFilesSweep(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	alive := openFiles(t, FilesOptions{Dirs: []string{dir}})
	p, err := alive.New(keyA)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.Path(), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(dir, tempPrefix+rand.Text())
	if err := errors.Join(os.Mkdir(dead, 0o700), os.WriteFile(filepath.Join(dead, "x"), []byte("half"), 0o600)); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-48 * time.Hour) // where nothing can be locked the age decides
	if err := os.Chtimes(dead, old, old); err != nil {
		t.Fatal(err)
	}
	openFiles(t, FilesOptions{Dirs: []string{dir}})
	if exists(dead) {
		t.Error("what a dead process left is still there")
	}
	if _, err := p.Commit(); err != nil {
		t.Errorf("what is being written was taken away: %v", err)
	}
	alive.Close()
	if found, _ := filepath.Glob(filepath.Join(dir, tempPrefix+"*")); len(found) > 0 {
		t.Errorf("left: %v", found)
	}
}

// A program whose bytes are not those that were committed is a miss, whatever
// its times say; one that is held is not evicted.
func TestFilesProgram(t *testing.T) {
	dirs := []string{filepath.Join(t.TempDir(), "files")}
	now := time.Now()
	f := openFiles(t, FilesOptions{Dirs: dirs, NeedExec: true, Budget: 1, Now: func() time.Time { return now }})
	path := commit(t, f, keyB, noise(10000))
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	again := openFiles(t, FilesOptions{Dirs: dirs, NeedExec: true})
	expectFile(t, again, keyB, noise(10000))
	if f.Mark(path).Sum == 0 || f.Mark(path).Sum != again.Mark(path).Sum {
		t.Errorf("marks %v and %v", f.Mark(path), again.Mark(path))
	}

	held, err := place.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if ok, err := place.Hold(held, false); ok {
		now = now.Add(time.Hour)
		f.Evict(nil)
		expectFile(t, f, keyB, noise(10000))
	} else if runtime.GOOS != "windows" {
		t.Error(err)
	}

	if err := errors.Join(flip(path, 5000), os.Chtimes(path, now, info.ModTime())); err != nil {
		t.Fatal(err)
	}
	expectNoFile(t, again, keyB)
}
