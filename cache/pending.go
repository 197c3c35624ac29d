package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Pending is a file on its way into Files. Every Pending ends with Commit or
// Abort; Abort after Commit does nothing, so it can be deferred.
type Pending struct {
	files *Files
	key   string
	dir   string
	temp  string
}

// Path returns where to write the file. Nothing is there yet: some tools want
// to make it themselves.
func (p *Pending) Path() string { return p.temp }

// Commit makes the file that was written the file of its key and returns its
// path. A file that has the key already stays, and the new one is dropped: it
// may be running. After an error nothing is left behind.
func (p *Pending) Commit() (string, error) {
	defer p.Abort()
	info, err := os.Lstat(p.temp)
	if err != nil {
		return "", fmt.Errorf("commit file: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() == 0 {
		return "", fmt.Errorf("commit file: %s has mode %v and %d bytes", p.temp, info.Mode(), info.Size())
	}
	if err := os.Chtimes(p.temp, p.files.opts.Now(), seal(p.key, info.Size())); err != nil {
		return "", fmt.Errorf("commit file: %w", err)
	}
	path := filepath.Join(p.dir, filepath.FromSlash(p.key))
	// An eviction may take away the empty directory between two of our steps.
	for try := 0; ; try++ {
		err := p.place(path)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, fs.ErrNotExist) || try == 3 {
			return "", fmt.Errorf("commit file: %w", err)
		}
	}
}

// place gives the file its name unless a sound file has it.
func (p *Pending) place(path string) error {
	if strings.Contains(p.key, "/") {
		if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	if info, err := os.Lstat(path); err == nil {
		if sealed(p.key, info) {
			return nil
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	// Unlike a rename, a link fails when another process was faster.
	err := os.Link(p.temp, path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(p.temp, path) // a file system without links
}

// Abort drops what was written.
func (p *Pending) Abort() { os.Remove(p.temp) }
