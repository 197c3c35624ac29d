package place

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

const stranger, victim = 12345, 12346 // user ids that are not ours

// as runs f on a thread that belongs to another user and ends with it.
func as(t *testing.T, uid int, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread is not used again
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid)); errno != 0 {
			t.Error(errno)
			return
		}
		f()
	}()
	<-done
}

// Another user was first: whatever it made in a directory that all may write,
// nothing is made, looked for or run in there.
func TestStrangers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become two other users")
	}
	t.Setenv(sharedParent, "")
	base := t.TempDir()
	for _, dir := range []string{base, filepath.Dir(base)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	shm := mkdir(t, 0o777|fs.ModeSticky, base, "shm")
	own := filepath.Join(shm, "hr-12346")
	for _, test := range []struct {
		name string
		make func() error // by the stranger
		why  string
	}{
		{"writable by all", func() error {
			return errors.Join(os.MkdirAll(filepath.Join(own, "live"), 0o700), os.Chmod(own, 0o777), os.Chmod(filepath.Join(own, "live"), 0o777))
		}, "another user"},
		{"sticky", func() error { return errors.Join(os.Mkdir(own, 0o700), os.Chmod(own, 0o777|fs.ModeSticky)) }, "another user"},
		{"only the stranger's", func() error { return os.Mkdir(own, 0o755) }, "another user"},
		{"a link", func() error { return os.Symlink(base, own) }, "symbolic link"},
		{"a link to itself", func() error { return os.Symlink(own, own) }, "symbolic link"},
		{"a file", func() error { return os.WriteFile(own, nil, 0o666) }, "not a directory"},
		{"a pipe", func() error { return syscall.Mkfifo(own, 0o666) }, "not a directory"},
	} {
		t.Run(test.name, func(t *testing.T) {
			defer os.RemoveAll(own)
			as(t, stranger, func() {
				if err := test.make(); err != nil {
					t.Error(err)
				}
			})
			as(t, victim, func() {
				for _, path := range []string{own, filepath.Join(own, "live"), filepath.Join(own, "bin", "x")} {
					_, err := Open(path)
					unsafe(t, err, test.why)
				}
				_, err := OpenBelow(shm)
				unsafe(t, err, test.why)
				if _, err := OpenFile(filepath.Join(own, "live", "app")); err == nil {
					t.Error("a program is looked for in there")
				}
			})
			if _, err := os.Lstat(filepath.Join(own, "bin")); err == nil {
				t.Error("something was made in there")
			}
		})
	}
	t.Run("swapped meanwhile", func(t *testing.T) {
		open := mkdir(t, 0o777, base, "open")
		var d *Dir
		t.Setenv(sharedParent, "1") // it was promised that nobody does this
		as(t, victim, func() {
			var err error
			if d, err = OpenBelow(open); err != nil {
				t.Error(err)
			}
		})
		if d == nil {
			return
		}
		as(t, stranger, func() {
			if err := errors.Join(os.Rename(d.Path(), d.Path()+"-away"), os.Mkdir(d.Path(), 0o777)); err != nil {
				t.Error(err)
			}
		})
		as(t, victim, func() {
			unsafe(t, d.Check(), "another user")
			_, err := d.Again()
			unsafe(t, err, "another user")
		})
	})
	t.Run("a file planted by its name", func(t *testing.T) {
		dir := mkdir(t, 0o755, base, "mine")
		if err := os.Chown(dir, victim, victim); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "app")
		if err := errors.Join(os.WriteFile(path, nil, 0o755), os.Chown(path, stranger, stranger)); err != nil {
			t.Fatal(err)
		}
		as(t, victim, func() {
			_, err := OpenFile(path)
			unsafe(t, err, "no file that this user alone can write")
		})
	})
}
