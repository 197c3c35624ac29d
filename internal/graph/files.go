package graph

import (
	"bytes"
	"io/fs"
	"os"
)

// This file looks at what a name is before it is read: a directory, a pipe or a
// device may have taken the place of a file at any time.

// stat follows a link and tells that there was one.
func stat(path string) (fi fs.FileInfo, link bool, err error) {
	fi, err = os.Lstat(path)
	if err != nil || fi.Mode()&fs.ModeSymlink == 0 {
		return fi, false, err
	}
	fi, err = os.Stat(path)
	return fi, true, err
}

// ReadFile returns the content of a regular file. It never waits for the other
// end of a pipe.
func ReadFile(path string) ([]byte, error) {
	f, size, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var data bytes.Buffer
	data.Grow(int(size) + bytes.MinRead) // the end is found without growing
	if _, err := data.ReadFrom(f); err != nil {
		return nil, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return data.Bytes(), nil
}

// kindOf names what is at path if it is no regular file and no directory.
func kindOf(path string) string {
	fi, err := os.Lstat(path)
	if err != nil {
		return ""
	}
	switch mode := fi.Mode(); {
	case mode&fs.ModeSymlink != 0:
		return "a link"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return ""
}

// isPipe tells that who opens the file waits until somebody writes to it.
func isPipe(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.Mode()&fs.ModeNamedPipe != 0
}

// exists tells that there is something of that name, if only a link to nothing.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// openRegular opens a regular file to read it, and tells its size.
func openRegular(path string) (*os.File, int64, error) {
	irregular := &fs.PathError{Op: "read", Path: path, Err: ErrNotRegular}
	fi, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	if !fi.Mode().IsRegular() { // opening a device can do things
		return nil, 0, irregular
	}
	f, err := os.OpenFile(path, os.O_RDONLY|openNow, 0)
	if err != nil {
		return nil, 0, err
	}
	if fi, err = f.Stat(); err == nil && !fi.Mode().IsRegular() { // it took the name in between
		err = irregular
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, fi.Size(), nil
}
