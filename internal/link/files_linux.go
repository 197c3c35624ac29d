package link

import (
	"errors"
	"os"
	"syscall"

	"github.com/hotreflex/hr/internal/place"
)

// writer is a program file open for writing. While one is open nothing may fork:
// a child would inherit the descriptor until it executes, and meanwhile the
// kernel refuses to run the file (ETXTBSY, go.dev/issue/22315).
type writer struct{ *os.File }

func create(name string) (*writer, error) {
	syscall.ForkLock.RLock()
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err == nil {
		err = f.Chmod(0o755)
	}
	if err != nil {
		syscall.ForkLock.RUnlock()
		return nil, err
	}
	place.Hold(f, true) // who clears up after the dead leaves it alone; without locks the age tells
	return &writer{f}, nil
}

// takeBack opens a written file for patching under the name tmp. It fails if
// the file is running (the kernel says so, most versions of it), somebody holds
// it, it has another name, or it is not as it was written. From the moment it is open nobody can start it, and once it is
// renamed nobody finds it.
func takeBack(w written, tmp string, size int64) (*writer, error) {
	syscall.ForkLock.RLock()
	f, err := os.OpenFile(w.path, os.O_WRONLY, 0)
	if err != nil {
		syscall.ForkLock.RUnlock()
		if errors.Is(err, syscall.ETXTBSY) {
			err = errHeld
		}
		return nil, err
	}
	file := &writer{f}
	now, err := f.Stat()
	if err == nil && (!w.sameFile(now) || now.Size() != size) {
		err = errTaken
	}
	if err == nil {
		if held, _ := place.Hold(f, true); !held {
			err = errHeld
		}
	}
	if err == nil {
		err = os.Rename(w.path, tmp)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

func (w *writer) Close() error {
	err := w.File.Close()
	syscall.ForkLock.RUnlock()
	return err
}

// finish closes the file and returns what it looks like.
func (w *writer) finish() (os.FileInfo, error) {
	info, err := w.Stat()
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	return info, err
}

func soleLink(info os.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Nlink == 1
}

// freeSpace returns the bytes that can be written in dir, if the kernel tells.
func freeSpace(dir string) (int64, bool) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, false
	}
	return int64(st.Bavail) * int64(st.Bsize), true
}
