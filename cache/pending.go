package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hotreflex/hr/internal/place"
)

// Pending is a file on its way into Files. Every Pending ends with Commit or
// Abort; Abort after Commit does nothing, so it can be deferred.
type Pending struct {
	files *Files
	key   string
	dir   *place.Dir
	temp  string // path; in a directory in dir
	sum   place.Sum
}

// Path returns where to write the file. Nothing is there yet: some tools want
// to make it themselves.
func (p *Pending) Path() string { return p.temp }

// Commit makes the file that was written the file of its key and returns its
// path. A file that has the key already stays, and the new one is dropped: it
// may be running. After an error nothing is left behind.
func (p *Pending) Commit() (string, error) {
	defer p.Abort()
	if err := p.seal(); err != nil {
		return "", fmt.Errorf("commit file: %w", err)
	}
	path := filepath.Join(p.dir.Path(), filepath.FromSlash(p.key))
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

// seal makes the file one that is believed.
func (p *Pending) seal() error {
	if err := p.dir.Check(); err != nil {
		return err
	}
	root, temp := p.dir.Root(), p.local()
	info, err := root.Lstat(temp)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() == 0 {
		return fmt.Errorf("%s has mode %v and %d bytes", p.temp, info.Mode(), info.Size())
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 { // a umask that lets others write
		if err := root.Chmod(temp, mode&^0o022); err != nil {
			return err
		}
	}
	if p.files.opts.NeedExec {
		f, err := root.Open(temp)
		if err != nil {
			return err
		}
		p.sum, err = place.SumOf(f)
		f.Close()
		if err != nil {
			return err
		}
	}
	return root.Chtimes(temp, p.files.opts.Now(), place.Seal(p.key, info.Size(), p.sum))
}

// place gives the file its name unless a sound file has it.
func (p *Pending) place(path string) error {
	root, name := p.dir.Root(), filepath.FromSlash(p.key)
	if id, _, named := strings.Cut(p.key, "/"); named {
		if err := root.Mkdir(id, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	if info, err := root.Lstat(name); err == nil {
		if p.files.sound(p.key, path, info) {
			return nil
		}
		if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	// Unlike a rename, a link fails when another process was faster.
	err := root.Link(p.local(), name)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		err = root.Rename(p.local(), name) // a file system without links
	}
	if err != nil {
		return err
	}
	root.Remove(p.local())
	if p.files.opts.NeedExec {
		_, err = p.files.ledger.Note(path, p.sum)
	}
	return err
}

// local is the name of the unfinished file within dir.
func (p *Pending) local() string {
	return filepath.Join(filepath.Base(filepath.Dir(p.temp)), filepath.Base(p.temp))
}

// Abort drops what was written.
func (p *Pending) Abort() { os.Remove(p.temp) }
