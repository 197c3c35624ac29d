package place

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// abandoned is the age at which a temporary directory without a lock to ask is
// nobody's any more: the longest build takes minutes.
const abandoned = time.Hour

// Scratch is a directory for temporary files of one process. Who finds it
// unlocked knows that the process is no more.
type Scratch struct {
	path string
	lock *os.File // the directory
}

// NewScratch makes one in parent, with a name that begins with prefix.
func NewScratch(parent, prefix string) (*Scratch, error) {
	for {
		path := filepath.Join(parent, prefix+rand.Text())
		if err := os.Mkdir(path, 0o700); err != nil {
			return nil, fmt.Errorf("make a directory for temporary files: %w", err)
		}
		lock, err := os.Open(path)
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				continue // a sweeper was faster than our lock
			}
			return nil, fmt.Errorf("make a directory for temporary files: %w", err)
		}
		held, err := Hold(lock, true)
		s := &Scratch{path, lock}
		if (held || err != nil) && s.There() {
			return s, nil
		}
		lock.Close()
	}
}

// Path returns where it lies.
func (s *Scratch) Path() string { return s.path }

// There tells whether the path still names the directory.
func (s *Scratch) There() bool {
	now, err := os.Lstat(s.path)
	if err != nil {
		return false
	}
	info, err := s.lock.Stat()
	return err == nil && os.SameFile(now, info)
}

// Remove empties it twice: a tool that was killed may have had a child that
// wrote its last file meanwhile.
func (s *Scratch) Remove() {
	if os.RemoveAll(s.path) != nil {
		os.RemoveAll(s.path)
	}
	s.lock.Close()
}

// Sweep removes the directories that NewScratch made in parent with one of the
// prefixes and no process holds: others of the user's may begin like them.
func Sweep(parent string, prefixes ...string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, e := range entries {
		for _, prefix := range prefixes {
			if rest, ok := strings.CutPrefix(e.Name(), prefix); ok && e.IsDir() && isRandom(rest) {
				sweep(filepath.Join(parent, e.Name()))
			}
		}
	}
}

// isRandom tells that a text is of the form of those of rand.Text.
func isRandom(text string) bool {
	return len(text) == len(rand.Text()) && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

func sweep(path string) {
	info, err := os.Lstat(path)
	if err != nil || ownDir(path, info) != nil {
		return
	}
	f, err := os.OpenFile(path, os.O_RDONLY|noFollow, 0)
	if err != nil {
		return
	}
	defer f.Close()
	now, err := f.Stat()
	if err != nil || !os.SameFile(info, now) {
		return
	}
	if held, err := Hold(f, true); held || err != nil && old(info) {
		os.RemoveAll(path)
	}
}

func old(info fs.FileInfo) bool { return time.Since(info.ModTime()) > abandoned }

// InUse tells that somebody holds the file at path, shared or alone.
func InUse(path string) bool {
	f, err := os.OpenFile(path, os.O_RDONLY|noFollow, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	held, err := Hold(f, true)
	return err == nil && !held
}
