package place

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// unsafe fails the test unless err is an *Error that says why, with a hint.
func unsafe(t *testing.T, err error, why string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || !strings.Contains(e.Why, why) || e.Hint == "" {
		t.Errorf("%v; want an unsafe place, %q, and a hint", err, why)
	}
}

func mkdir(t *testing.T, mode fs.FileMode, elements ...string) string {
	t.Helper()
	dir := filepath.Join(elements...)
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, mode)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func needModes(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("directories have no owner and mode on Windows")
	}
}

func TestOpen(t *testing.T) {
	needModes(t)
	t.Setenv(sharedParent, "")
	base := t.TempDir()
	path := filepath.Join(base, "a", "b")
	for range 2 { // made, then found
		d, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		sub, err := d.Sub("c")
		if err != nil || sub.Path() != filepath.Join(path, "c") {
			t.Errorf("%v, %v", sub, err)
		}
		sub.Close()
		d.Close()
	}

	sticky := mkdir(t, 0o777|fs.ModeSticky, base, "sticky")
	open := mkdir(t, 0o777, base, "open")
	mkdir(t, 0o700, open, "mine")
	file := filepath.Join(base, "file")
	for _, err := range []error{
		os.WriteFile(file, nil, 0o600), os.Symlink(base, filepath.Join(sticky, "link")),
		os.Symlink(base, filepath.Join(base, "link")), os.Symlink("gone", filepath.Join(base, "loop")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ path, why string }{
		{open, "not sticky"},
		{filepath.Join(open, "mine"), "not sticky"},
		{filepath.Join(open, "mine", "new"), "not sticky"},
		{sticky, "others may write it"},
		{filepath.Join(sticky, "link"), "symbolic link"},
		{filepath.Join(sticky, "link", "x"), "symbolic link"},
		{filepath.Join(base, "link"), "symbolic link"},
		{file, "not a directory"},
		{filepath.Join(file, "x"), "not a directory"},
	} {
		_, err := Open(test.path)
		unsafe(t, err, test.why)
	}
	for _, path := range []string{filepath.Join(sticky, "mine"), filepath.Join(base, "link", "below"), filepath.Join(base, "a", "..", "up")} {
		d, err := Open(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		d.Close()
	}
	if _, err := Open("relative"); err == nil {
		t.Error("a relative path is taken")
	}
}

// Who has said that nobody else is there may work where others could swap; what
// is ours by its name must be ours all the same.
func TestSharedParent(t *testing.T) {
	needModes(t)
	open := mkdir(t, 0o777, t.TempDir(), "open")
	t.Setenv(sharedParent, "")
	_, err := OpenBelow(open)
	unsafe(t, err, "not sticky")
	t.Setenv(sharedParent, "1")
	d, err := OpenBelow(open)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if d.Path() != filepath.Join(open, OwnName()) {
		t.Errorf("works in %s", d.Path())
	}
	if _, err := d.Root().Stat("."); err != nil {
		t.Error(err)
	}
	if err := os.Chmod(d.Path(), 0o777); err != nil {
		t.Fatal(err)
	}
	unsafe(t, d.Check(), "others may write it")
	_, err = OpenBelow(open)
	unsafe(t, err, "others may write it")
	if err := errors.Join(os.Remove(d.Path()), os.Symlink(t.TempDir(), d.Path())); err != nil {
		t.Fatal(err)
	}
	_, err = OpenBelow(open)
	unsafe(t, err, "symbolic link")
}

func TestOpenBelow(t *testing.T) {
	needModes(t)
	t.Setenv(sharedParent, "")
	base := t.TempDir()
	for _, test := range []struct {
		mode fs.FileMode
		want string
	}{
		{0o700, ""},
		{0o755, ""},
		{0o777 | fs.ModeSticky, OwnName()},
	} {
		dir := mkdir(t, test.mode, base, strings.ReplaceAll(test.mode.String(), "-", "x"))
		d, err := OpenBelow(dir)
		if err != nil {
			t.Fatal(err)
		}
		if d.Path() != filepath.Join(dir, test.want) {
			t.Errorf("mode %v: works in %s", test.mode, d.Path())
		}
		d.Close()
	}
}

// A directory that was removed is made again; one that was opened to others
// meanwhile is given up.
func TestAgain(t *testing.T) {
	needModes(t)
	path := filepath.Join(t.TempDir(), "x")
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	same, err := d.Again()
	if err != nil || same != d {
		t.Errorf("%v, %v", same, err)
	}
	if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := d.Check(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("another directory of its name: %v", err)
	}
	next, err := d.Again()
	if err != nil || next == d {
		t.Fatalf("%v, %v", next, err)
	}
	if err := os.Chmod(path, 0o770); err != nil {
		t.Fatal(err)
	}
	if _, err := next.Again(); err == nil && os.Getgid() != os.Getuid() {
		t.Error("a directory that others may write is used")
	}
}

func TestOpenFile(t *testing.T) {
	needModes(t)
	t.Setenv(sharedParent, "")
	base := t.TempDir()
	path, link := filepath.Join(base, "file"), filepath.Join(base, "link")
	if err := errors.Join(os.WriteFile(path, []byte("text"), 0o600), os.Symlink(path, link)); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if _, err := OpenFile(link); err == nil {
		t.Error("a link is followed")
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	_, err = OpenFile(path)
	unsafe(t, err, "no file that this user alone can write")
	if err := errors.Join(os.Chmod(path, 0o600), os.Chmod(base, 0o777)); err != nil {
		t.Fatal(err)
	}
	_, err = OpenFile(path)
	unsafe(t, err, "not sticky")
}

func TestSums(t *testing.T) {
	for _, size := range []int{0, 1, block - 1, block, block + 1, 64*block + 17, 200 * block} {
		text := bytes.Repeat([]byte("abcdefg"), size/7+1)[:size]
		want, err := SumOf(bytes.NewReader(text))
		if err != nil || want == 0 || want > sums {
			t.Fatalf("size %d: %d, %v", size, want, err)
		}
		tally := NewTally(size)
		zero, _ := SumOf(bytes.NewReader(make([]byte, size)))
		if tally.Sum() != zero {
			t.Errorf("size %d: the sum of zeros is %d, tallied %d", size, zero, tally.Sum())
		}
		tally.Update(text, 0, size)
		if tally.Sum() != want {
			t.Errorf("size %d: sum %d, tallied %d", size, want, tally.Sum())
		}
		if size > 2 {
			text[size/2] ^= 1
			tally.Update(text, size/2, size/2+1)
			changed, _ := SumOf(bytes.NewReader(text))
			if changed == want || tally.Sum() != changed {
				t.Errorf("size %d: sum %d of a changed byte, was %d, tallied %d", size, changed, want, tally.Sum())
			}
		}
	}
}

// Every way to damage a file is found, by its times or by its bytes.
func TestLedger(t *testing.T) {
	needModes(t)
	const key = "aaaaaaaa/app"
	text := bytes.Repeat([]byte("0123456789abcdef"), 5000)
	sum, err := SumOf(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	fresh := func(t *testing.T) (string, Mark, *Ledger) {
		path := filepath.Join(t.TempDir(), "app")
		if err := os.WriteFile(path, text, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Now(), Seal(key, int64(len(text)), sum)); err != nil {
			t.Fatal(err)
		}
		l := new(Ledger)
		m, err := l.Note(path, sum)
		if err != nil {
			t.Fatal(err)
		}
		return path, m, l
	}
	patch := func(path string, at int64) error {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.WriteAt([]byte{0}, at)
		return errors.Join(err, f.Close())
	}
	back := func(path string) error { return os.Chtimes(path, time.Now(), Seal(key, int64(len(text)), sum)) }
	for name, damage := range map[string]func(path string) error{
		"flipped":                func(path string) error { return patch(path, 40001) },
		"flipped, time set back": func(path string) error { return errors.Join(patch(path, 40001), back(path)) },
		"cut":                    func(path string) error { return os.Truncate(path, 4096) },
		"cut, time set back":     func(path string) error { return errors.Join(os.Truncate(path, 4096), back(path)) },
		"emptied":                func(path string) error { return os.Truncate(path, 0) },
		"longer":                 func(path string) error { return os.Truncate(path, 1<<20) },
		"writable by others":     func(path string) error { return os.Chmod(path, 0o777) },
		"removed":                os.Remove,
		"another file, time as was": func(path string) error {
			return errors.Join(os.Remove(path), os.WriteFile(path, make([]byte, len(text)), 0o700), back(path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path, mark, l := fresh(t)
			for range 2 {
				if m, err := l.Sound(key, path); err != nil || m != mark {
					t.Fatalf("%v, %v; want %v", m, err, mark)
				}
			}
			if m, err := new(Ledger).Sound(key, path); err != nil || m != mark {
				t.Fatalf("of a new process: %v, %v; want %v", m, err, mark)
			}
			if err := damage(path); err != nil {
				t.Fatal(err)
			}
			if _, err := l.Sound(key, path); err == nil {
				t.Error("it is found sound by who knew it")
			}
			if _, err := new(Ledger).Sound(key, path); err == nil {
				t.Error("it is found sound by who did not know it")
			}
			if f, err := OpenFile(path); err == nil {
				if Verify(f, mark) == nil {
					t.Error("it is found sound before a start")
				}
				f.Close()
			}
		})
	}
	path, mark, l := fresh(t)
	if _, err := l.Sound("bbbbbbbb/app", path); err == nil {
		t.Error("the file of another key is sound")
	}
	if err := back(path); err != nil { // a touch: its stamp is another, its bytes are not
		t.Fatal(err)
	}
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := Verify(f, mark); err != nil {
		t.Error(err)
	}
}

func TestScratch(t *testing.T) {
	needModes(t)
	base := t.TempDir()
	s, err := NewScratch(base, "x-")
	if err != nil {
		t.Fatal(err)
	}
	dead := mkdir(t, 0o700, base, "x-"+rand.Text())
	other := mkdir(t, 0o700, base, "y-"+rand.Text())
	hand := mkdir(t, 0o700, base, "x-made-by-the-user-hand-26")
	outside := mkdir(t, 0o700, base, "outside")
	if err := errors.Join(os.WriteFile(filepath.Join(dead, "big"), nil, 0o600), os.Symlink(outside, filepath.Join(base, "x-"+rand.Text())),
		os.WriteFile(filepath.Join(base, "x-file"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(base, "x-"+rand.Text())
	if os.Geteuid() == 0 {
		if err := errors.Join(os.Mkdir(foreign, 0o700), os.Chown(foreign, 12345, 12345)); err != nil {
			t.Fatal(err)
		}
	}
	Sweep(base, "z-", "x-")
	for path, want := range map[string]bool{s.Path(): true, dead: false, other: true, hand: true, outside: true, foreign: os.Geteuid() == 0} {
		if _, err := os.Lstat(path); (err == nil) != want {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
	}
	if !s.There() {
		t.Error("what is in use was swept")
	}
	s.Remove()
	if s.There() {
		t.Error("it is still there")
	}
}
