//go:build !linux

package link

import "os"

// writer is a program file open for writing.
type writer struct{ *os.File }

func create(name string) (*writer, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	return &writer{f}, err
}

// takeBack always fails: whether a file is in use cannot be told here.
func takeBack(written, string, int64) (*writer, error) { return nil, errTaken }

func (w *writer) finish() (os.FileInfo, error) {
	info, err := w.Stat()
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	return info, err
}

func soleLink(os.FileInfo) bool { return false }

// freeSpace is not known here; nothing is linked here either.
func freeSpace(string) (int64, bool) { return 0, false }
