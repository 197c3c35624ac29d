package graph

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hotreflex/hr/tags"
)

// Stamp is what a stat tells of a file's content without reading it. Equal
// stamps mean equal content, unless the stamp is Racy.
type Stamp struct {
	Inode uint64 `json:"i,omitempty"`
	Size  int64  `json:"s"`
	Mtime int64  `json:"m"` // nanoseconds since 1970
	Ctime int64  `json:"c,omitempty"`
	// Racy is set if the file was so young when it was read that a later write
	// could have left the same stamp; its content is hashed at every look.
	Racy bool `json:"r,omitempty"`
	Gone bool `json:"g,omitempty"`
	// Link tells that the name is a symbolic link; all else is of what it leads
	// to. To an embed pattern a link is no file.
	Link bool `json:"l,omitempty"`
}

// racyAge is how old a file must be for its stamp to be trusted. The kernel's
// clock for time stamps moves in steps of up to 10 ms (CONFIG_HZ=100), some
// file systems keep 2 s (FAT); cmd/go distrusts files younger than 2 s as well
// (modindex/read.go, modTimeCutoff).
const racyAge = 2 * time.Second

// Same tells that both stamps name the same content for certain.
func (s Stamp) Same(t Stamp) bool {
	if s.Racy {
		return false
	}
	t.Racy = false
	return s == t
}

// StampOf returns the stamp of the file at path; a missing or unreadable file
// is Gone.
func StampOf(path string) Stamp {
	fi, link, err := stat(path)
	if err != nil {
		return Stamp{Gone: true, Link: link}
	}
	s := stampOf(fi, time.Now())
	s.Link = link
	return s
}

func stampOf(fi fs.FileInfo, now time.Time) Stamp {
	s := Stamp{Size: fi.Size(), Mtime: fi.ModTime().UnixNano()}
	s.Inode, s.Ctime = inode(fi)
	youngest := max(s.Mtime, s.Ctime)
	s.Racy = now.UnixNano()-youngest < int64(racyAge)
	return s
}

// ErrNotRegular says that an input is a directory, a pipe or a device: reading
// it could block for ever.
var ErrNotRegular = errors.New("not a regular file")

// readFile returns content and stamp that belong together: the stamp is taken
// before and after the read.
func readFile(path string) (data []byte, stamp Stamp, err error) {
	stamp, err = stamped(path, func() error {
		data, err = ReadFile(path)
		return err
	})
	if err != nil {
		return nil, stamp, err
	}
	return data, stamp, nil
}

// HashOf returns the hex SHA-256 of data.
func HashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Listing is the set of names in a directory that can decide a package's files.
type Listing struct {
	Dir   string `json:"dir"`
	Stamp Stamp  `json:"stamp"`
	Hash  string `json:"hash"`
	// All names count, as for an embed pattern; else only those that the go
	// command would look at.
	All bool `json:"all,omitempty"`
}

// list reads a directory into a Listing; a missing one has no names.
func list(dir string, all bool) *Listing {
	l := &Listing{Dir: dir, All: all, Stamp: StampOf(dir)}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return l
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		if all {
			// What is no file and no directory is not embedded.
			switch {
			case e.IsDir():
				name += "/"
			case !e.Type().IsRegular():
				name += "/" + e.Type().String()
			}
			names = append(names, name)
		} else if !e.IsDir() && tags.Source(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	l.Hash = HashOf([]byte(strings.Join(names, "\x00")))
	return l
}

// namesIn returns the paths of the names that a Listing of dir counts.
func namesIn(dir string, all bool) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if all || !e.IsDir() && tags.Source(e.Name()) {
			out = append(out, filepath.Join(dir, e.Name()))
		}
	}
	return out
}

// Unmoved looks whether the file still has the content that f knows, as far as
// a stat and, for a young file, one more reading can tell.
func (f *File) Unmoved() bool {
	now := StampOf(f.Path)
	was := f.Stamp
	young := was.Racy || now.Racy
	now.Racy, was.Racy = false, false
	if now != was {
		return false
	}
	if !young || f.Hash == "" {
		return true
	}
	hash, _, err := hashFile(f.Path)
	return err == nil && hash == f.Hash
}

// Since tells that a file of the package may have changed at or after the time:
// it is not older than that by more than clocks of file systems can be wrong.
func (p *Package) Since(t time.Time) bool {
	limit := t.Add(-racyAge).UnixNano()
	for _, f := range p.Files {
		if max(f.Stamp.Mtime, f.Stamp.Ctime) >= limit {
			return true
		}
	}
	return false
}

// Stamps returns the stamps, now, of the inputs that s knows, of those that it
// found absent, and of the module files that the go command looks for in dir and
// above. A nil snapshot knows only these.
func (s *Snapshot) Stamps(dir string) map[string]Stamp {
	stamps := map[string]Stamp{}
	for ; ; dir = filepath.Dir(dir) {
		for _, name := range []string{"go.work", "go.mod", "go.sum", filepath.Join("vendor", "modules.txt")} {
			path := filepath.Join(dir, name)
			stamps[path] = StampOf(path)
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	if s == nil {
		return stamps
	}
	for path := range s.Inputs {
		stamps[path] = StampOf(path)
	}
	for _, path := range s.Absent {
		stamps[path] = StampOf(path)
	}
	for _, p := range s.Packages {
		if p.Local {
			for path := range p.Files {
				stamps[path] = StampOf(path)
			}
		}
	}
	return stamps
}

// ModulesMoved tells that a module file may have changed, come or gone between
// the time begin, when its stamp was the one in before, and the reading of s.
func (s *Snapshot) ModulesMoved(before map[string]Stamp, begin time.Time) bool {
	for path, f := range s.Inputs {
		if movedSince(before, path, f.Stamp, f.Stamp, begin) {
			return true
		}
	}
	// That one was there, and went in between, is seen only of those in before.
	// The times of its directory tell too little: a program writes its own files
	// there as soon as it is started.
	for _, path := range s.Absent {
		if was, ok := before[path]; ok && !was.Gone {
			return true
		}
	}
	return false
}

// FilesMoved is the same of the files of all Local packages.
func (s *Snapshot) FilesMoved(before map[string]Stamp, begin time.Time) bool {
	for _, p := range s.Packages {
		if p.Local && p.Moved(before, begin) {
			return true
		}
	}
	return false
}

// Moved is the same of the files of the package.
func (p *Package) Moved(before map[string]Stamp, begin time.Time) bool {
	for path, f := range p.Files {
		if movedSince(before, path, f.Stamp, f.Stamp, begin) {
			return true
		}
	}
	return false
}

// movedSince compares a stamp with the one in before. Of a file that has none
// there its times tell.
func movedSince(before map[string]Stamp, path string, now, times Stamp, begin time.Time) bool {
	if was, ok := before[path]; ok {
		was.Racy, now.Racy = false, false
		return was != now
	}
	// Time stamps are those of the kernel's last tick: up to 10 ms (CONFIG_HZ=100).
	return max(times.Mtime, times.Ctime) >= begin.Add(-10*time.Millisecond).UnixNano()
}
