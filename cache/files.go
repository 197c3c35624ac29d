package cache

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/hotreflex/hr/internal/place"
)

const (
	// defaultFilesBudget holds the archives and programs of some big services.
	defaultFilesBudget = 1 << 30
	// enoughFree is what a place must have left to come before a slower one, in
	// bytes: in memory, a program that finds no block for its page is killed.
	enoughFree = 256 << 20
	// leastFree is what a place must have left to be tried at all. The go command
	// asks for nothing: who has this little must not be worse off with us.
	leastFree = 1 << 20
	// touchEvery keeps Path from writing the inode each time.
	touchEvery = time.Minute
	// tempPrefix marks directories of files that are being written.
	tempPrefix = ".tmp-"
)

// FilesOptions say where files are kept. Dirs must not be empty.
type FilesOptions struct {
	// Dirs are the places that may be used, the fastest first. Each is a
	// directory for files alone, made when absent.
	Dirs     []string
	Budget   int64 // bytes; 0 means 1 GiB. Never more than half of what is free
	NeedExec bool  // the files are programs: places that do not let them run are left out

	Log func(format string, args ...any) // takes one line; nil means silence
	// Unsafe is called once for each place that is passed over because others
	// could put files of theirs there; may be nil.
	Unsafe func(*place.Error)
	Now    func() time.Time // nil means time.Now

	minFree int64 // bytes; 0 means enoughFree. For tests
}

// Files keeps whole files by key. A key is a hex id, or a hex id, a slash and a
// base name for files whose name matters. A file is written under a temporary
// name and committed once; it is then never changed, only deleted.
//
// A committed file carries a seal (place.Seal), so that one that was cut or
// changed is a miss. Programs are read before they are handed out, once for each
// state of their file. The last use is the access time.
type Files struct {
	opts   FilesOptions
	places []*spot // usable, best first
	ledger place.Ledger
}

// OpenFiles returns an error when none of the directories can be used.
func OpenFiles(o FilesOptions) (*Files, error) {
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Budget <= 0 {
		o.Budget = defaultFilesBudget
	}
	if o.minFree == 0 {
		o.minFree = enoughFree
	}
	f := &Files{opts: o}
	var reasons []error
	for _, dir := range o.Dirs {
		s, err := tryPlace(dir, o.NeedExec)
		if err != nil {
			f.passOver(dir, err)
			reasons = append(reasons, fmt.Errorf("%s: %w", dir, err))
			continue
		}
		f.places = append(f.places, s)
	}
	if len(f.places) == 0 {
		return nil, fmt.Errorf("no place for files: %w", errors.Join(reasons...))
	}
	f.places = byRoom(f.places, o.minFree)
	for _, s := range f.places {
		place.Sweep(s.path, tempPrefix)
	}
	return f, nil
}

// passOver tells that a place is not used.
func (f *Files) passOver(dir string, why error) {
	f.opts.Log("cache: no files in %s: %v", dir, why)
	var bad *place.Error
	if errors.As(why, &bad) && f.opts.Unsafe != nil {
		f.opts.Unsafe(bad)
	}
}

// Close removes what this process has for its unfinished files.
func (f *Files) Close() {
	for _, s := range f.places {
		s.close()
	}
}

// Dir returns the chosen place, the best that can be used. When it is full files
// go to the next.
func (f *Files) Dir() string { return f.places[0].path }

// Path returns where the file of a key lies, and notes that it was used.
func (f *Files) Path(key string) (string, bool) {
	if !validKey(key) {
		return "", false
	}
	for _, s := range f.places {
		dir := f.look(s)
		if dir == nil {
			continue
		}
		info, err := dir.Root().Lstat(filepath.FromSlash(key))
		if err != nil {
			continue
		}
		path := filepath.Join(s.path, filepath.FromSlash(key))
		if !f.sound(key, path, info) {
			removeFile(dir, key)
			continue
		}
		if now := f.opts.Now(); now.Sub(lastUse(info)).Abs() > touchEvery {
			// If that fails it is evicted sooner.
			if dir.Root().Chtimes(filepath.FromSlash(key), now, info.ModTime()) == nil && f.opts.NeedExec {
				f.ledger.Note(path, f.ledger.Known(path).Sum)
			}
		}
		return path, true
	}
	return "", false
}

// sound tells whether a file is what was committed under its key.
func (f *Files) sound(key, path string, info fs.FileInfo) bool {
	if !place.Believable(info) || !place.Sealed(key, info) {
		return false
	}
	if !f.opts.NeedExec {
		return true // its reader notices damage, as the go command's does
	}
	_, err := f.ledger.Sound(key, path)
	return err == nil
}

// Mark returns by what the program at path, as Path or Commit returned it, is
// known again.
func (f *Files) Mark(path string) place.Mark { return f.ledger.Known(path) }

// New returns a path to write the file of a key to.
func (f *Files) New(key string) (*Pending, error) {
	if !validKey(key) {
		return nil, fmt.Errorf("new file: %q is not a hex id, or one with a base name", key)
	}
	err := error(ErrNoSpace)
	for _, s := range byRoom(f.places, f.opts.minFree) {
		dir := f.look(s)
		if dir == nil {
			continue
		}
		if err = checkFree(s.path, leastFree); err != nil {
			continue
		}
		var scratch string
		if scratch, err = s.unfinished(); err != nil {
			continue
		}
		return &Pending{files: f, key: key, dir: dir, temp: filepath.Join(scratch, rand.Text())}, nil
	}
	return nil, fmt.Errorf("new file: %w", err)
}

// Remove deletes the file of a key.
func (f *Files) Remove(key string) {
	if !validKey(key) {
		return
	}
	for _, s := range f.places {
		if dir := f.look(s); dir != nil {
			removeFile(dir, key)
		}
	}
}

// removeFile also deletes the directory around a file with a name of its own,
// once that is empty.
func removeFile(dir *place.Dir, key string) error {
	err := dir.Root().Remove(filepath.FromSlash(key))
	if id, _, named := strings.Cut(key, "/"); named && err == nil {
		dir.Root().Remove(id)
	}
	return err
}

// validKey keeps keys from leaving their directory and from meeting each other.
func validKey(key string) bool {
	id, name, named := strings.Cut(key, "/")
	if len(id) < 8 || len(id) > 128 || strings.Trim(id, "0123456789abcdef") != "" {
		return false
	}
	// A file system takes names of 255 bytes.
	return !named || name != "" && len(name) <= 255 && name[0] != '.' && !strings.ContainsAny(name, "/\\\x00")
}
