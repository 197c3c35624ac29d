// Package place keeps what lies on disk from being taken for ours when it is not.
//
// It makes directories that this user alone can change, opens the files in them
// without following links, and tells by owner, mode, seal and lock what may be
// believed, run or removed. It knows no caches, programs or sockets: those who
// write files below a directory that others can reach call it. Safe for use by
// several goroutines at once.
package place

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Error says that others could put something of theirs in a place of ours.
type Error struct {
	Path string
	Why  string
	Hint string
}

func (e *Error) Error() string { return "unsafe place " + e.Path + ": " + e.Why }

// Dir is a directory that this user alone can change, held open: what is done
// through Root is done in this directory, whatever its path names by then.
type Dir struct {
	path string // real: no element is a link
	root *os.Root
	info fs.FileInfo
}

// Open opens the directory of that path and makes it when absent, and those
// above it. It is an *Error if others can write it or put another in its place.
func Open(path string) (*Dir, error) {
	path, err := climb(path, true, true)
	if err != nil {
		return nil, err
	}
	return open(path)
}

// OpenBelow opens dir, or, where that is not this user's alone, a directory in
// it that is: of a name that is the same each time.
func OpenBelow(dir string) (*Dir, error) {
	path, err := climb(dir, true, false)
	if err != nil {
		return nil, err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return nil, fmt.Errorf("open place: %w", err)
	}
	if shared(info) || !owned(info) {
		return Open(filepath.Join(path, OwnName()))
	}
	return open(path)
}

func open(path string) (*Dir, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open place: %w", err)
	}
	d := &Dir{path: path, root: root}
	if d.info, err = root.Stat("."); err == nil {
		err = d.Check()
	}
	if err != nil {
		root.Close()
		return nil, err
	}
	return d, nil
}

// Sub opens a directory in d, and makes it when absent. A link is refused.
func (d *Dir) Sub(name string) (*Dir, error) {
	if err := d.root.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make place: %w", err)
	}
	path := filepath.Join(d.path, name)
	info, err := d.root.Lstat(name)
	if err != nil {
		return nil, fmt.Errorf("open place: %w", err)
	}
	if err := ownDir(path, info); err != nil {
		return nil, err
	}
	root, err := d.root.OpenRoot(name)
	if err != nil {
		return nil, fmt.Errorf("open place: %w", err)
	}
	sub := &Dir{path: path, root: root}
	if sub.info, err = root.Stat("."); err == nil {
		err = sub.Check()
	}
	if err != nil {
		root.Close()
		return nil, err
	}
	return sub, nil
}

// Path returns where d lies. Tools that take no descriptor work by it: nobody
// else can change where it leads.
func (d *Dir) Path() string { return d.path }

// Root is the directory itself, for work that follows no link out of it.
func (d *Dir) Root() *os.Root { return d.root }

// Check returns nil if the path still names the directory that was opened, and
// that still is this user's alone, as are those above. One that was removed is
// fs.ErrNotExist.
func (d *Dir) Check() error {
	if err := Check(filepath.Dir(d.path)); err != nil {
		return err
	}
	now, err := os.Lstat(d.path)
	if err != nil {
		return fmt.Errorf("check place: %w", err)
	}
	if err := ownDir(d.path, now); err != nil {
		return err
	}
	if !os.SameFile(now, d.info) {
		return fmt.Errorf("check place: %s is another directory: %w", d.path, fs.ErrNotExist)
	}
	return nil
}

// Again returns d if it still is sound, else the directory that is there now.
func (d *Dir) Again() (*Dir, error) {
	if d.Check() == nil {
		return d, nil
	}
	return Open(d.path)
}

// Close lets go of the directory.
func (d *Dir) Close() error { return d.root.Close() }

// ownDir returns nil if info, not followed, is of a directory of this user's own.
func ownDir(path string, info fs.FileInfo) error {
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return &Error{path, "it is a symbolic link", "remove the link"}
	case !info.IsDir():
		return &Error{path, "it is not a directory", "remove it"}
	case !owned(info):
		return &Error{path, "it belongs to another user", elsewhere}
	case shared(info):
		return &Error{path, fmt.Sprintf("others may write it, its mode is %04o", info.Mode().Perm()), "look what is in it, then chmod 700 " + path}
	}
	return nil
}

// Check returns nil if nobody else can put another directory in the place of that
// one, or of one above it.
func Check(dir string) error {
	_, err := climb(dir, false, false)
	return err
}

// OpenFile opens a file to be read, if it is a regular one of this user's that
// nobody else can change or replace.
func OpenFile(path string) (*os.File, error) {
	if _, err := climb(filepath.Dir(path), false, false); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|noFollow, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !Believable(info) {
		err = &Error{path, fmt.Sprintf("it is no file that this user alone can write (mode %v)", info.Mode()), "remove it"}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Believable tells that info, not followed, is of a regular file of this user's
// that nobody else may write.
func Believable(info fs.FileInfo) bool {
	return info.Mode().IsRegular() && owned(info) && !shared(info)
}
