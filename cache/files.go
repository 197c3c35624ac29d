package cache

import (
	"crypto/rand"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// defaultFilesBudget holds the archives and programs of some big services.
	defaultFilesBudget = 1 << 30
	// touchEvery keeps Path from writing the inode each time.
	touchEvery = time.Minute
	// tempPrefix marks files that are being written.
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
	Now func() time.Time                 // nil means time.Now

	minFree int64 // bytes; 0 means minFreeSpace. For tests
}

// Files keeps whole files by key. A key is a hex id, or a hex id, a slash and a
// base name for files whose name matters. A file is written under a temporary
// name and committed once; it is then never changed, only deleted.
//
// A committed file carries a seal: its modification time is set to a value made
// of its key and size. Any later write moves it, so that a file that was cut or
// changed is found without reading it, and is a miss. The last use is the
// access time.
type Files struct {
	opts   FilesOptions
	places []string // usable, fastest first
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
		o.minFree = minFreeSpace
	}
	f := &Files{opts: o}
	var reasons []error
	for _, dir := range o.Dirs {
		if err := tryPlace(dir, o.minFree, o.NeedExec); err != nil {
			o.Log("cache: no files in %s: %v", dir, err)
			reasons = append(reasons, fmt.Errorf("%s: %w", dir, err))
			continue
		}
		f.places = append(f.places, dir)
	}
	if len(f.places) == 0 {
		return nil, fmt.Errorf("no place for files: %w", errors.Join(reasons...))
	}
	return f, nil
}

// Dir returns the chosen place, the fastest that can be used. When it is full
// files go to the next.
func (f *Files) Dir() string { return f.places[0] }

// Path returns where the file of a key lies, and notes that it was used.
func (f *Files) Path(key string) (string, bool) {
	if !validKey(key) {
		return "", false
	}
	for _, dir := range f.places {
		path := filepath.Join(dir, filepath.FromSlash(key))
		info, err := os.Lstat(path)
		if err != nil {
			continue
		}
		if !sealed(key, info) {
			os.Remove(path)
			continue
		}
		if now := f.opts.Now(); now.Sub(lastUse(info)).Abs() > touchEvery {
			os.Chtimes(path, now, info.ModTime()) // if that fails it is evicted sooner
		}
		return path, true
	}
	return "", false
}

// New returns a path to write the file of a key to.
func (f *Files) New(key string) (*Pending, error) {
	if !validKey(key) {
		return nil, fmt.Errorf("new file: %q is not a hex id, or one with a base name", key)
	}
	var err error
	for _, dir := range f.places {
		if err = makePlace(dir); err != nil { // it may have been deleted
			continue
		}
		if err = checkFree(dir, f.opts.minFree); err != nil {
			continue
		}
		return &Pending{files: f, key: key, dir: dir, temp: filepath.Join(dir, tempPrefix+rand.Text())}, nil
	}
	return nil, fmt.Errorf("new file: %w", err)
}

// Remove deletes the file of a key.
func (f *Files) Remove(key string) {
	if !validKey(key) {
		return
	}
	for _, dir := range f.places {
		removeFile(dir, key)
	}
}

// removeFile also deletes the directory around a file with a name of its own,
// once that is empty.
func removeFile(dir, key string) error {
	err := os.Remove(filepath.Join(dir, filepath.FromSlash(key)))
	if id, _, named := strings.Cut(key, "/"); named && err == nil {
		os.Remove(filepath.Join(dir, id))
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

// seal returns the modification time of a committed file: whole seconds, which
// every file system keeps, between 2001 and 2017.
func seal(key string, size int64) time.Time {
	hash := fnv.New64a()
	fmt.Fprint(hash, key, size)
	return time.Unix(1_000_000_000+int64(hash.Sum64()%500_000_000), 0)
}

func sealed(key string, info fs.FileInfo) bool {
	return info.Mode().IsRegular() && info.ModTime().Equal(seal(key, info.Size()))
}
