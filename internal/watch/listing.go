package watch

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Listing knows what lies below a directory, and so tells what a batch is made
// of: which files a removed directory had, which entries are new, and which
// events changed nothing but a mode. It is for consumers without a snapshot of
// their own. One goroutine uses it.
type Listing struct {
	root    string
	exclude func(path string, dir bool) bool
	top     *listed
}

// Change is one entry that is not as it was.
type Change struct {
	Path    string // absolute
	Dir     bool   // a directory, or a symbolic link to one
	Created bool   // the name is new
	Removed bool   // the name is gone
}

// listed is what was known of an entry when it was last looked at.
type listed struct {
	stamp
	dir     bool               // also of a link's target
	at      time.Time          // of the look
	entries map[string]*listed // of a directory, by name
}

// stampGrain bounds the steps of file times: a tick of the slowest kernel
// (CONFIG_HZ=100) takes 10 ms. Two writes within one may leave the same stamp.
const stampGrain = 20 * time.Millisecond

// NewListing reads the tree below root. A watcher with the same Exclude must
// exist already, or what is written meanwhile belongs to neither.
func NewListing(root string, exclude func(path string, dir bool) bool) *Listing {
	if exclude == nil {
		exclude = DefaultExclude
	}
	l := &Listing{root: root, exclude: exclude, top: &listed{}}
	l.read(root, l.top, map[string]Change{})
	return l
}

// Update brings the listing up to date with what b hints at and returns what
// changed, sorted by path.
func (l *Listing) Update(b Batch) []Change {
	changes := map[string]Change{}
	if b.Rescan {
		l.read(l.root, l.top, changes)
	}
	for _, path := range b.Paths {
		l.hint(path, changes)
	}
	out := make([]Change, 0, len(changes))
	for _, c := range changes {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// hint looks at a path that an event named. The first name on the way to it
// that is new, or gone, stands for all below.
func (l *Listing) hint(path string, changes map[string]Change) {
	rel, err := filepath.Rel(l.root, path)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return
	}
	if rel == "." {
		l.read(l.root, l.top, changes)
		return
	}
	dir, at := l.top, l.root
	for name := range strings.SplitSeq(rel, string(filepath.Separator)) {
		at = filepath.Join(at, name)
		old := dir.entries[name]
		if old == nil || at == path {
			l.look(at, name, dir, changes)
			return
		}
		dir = old
	}
}

// look compares an entry, and a directory with everything below it.
func (l *Listing) look(path, name string, dir *listed, changes map[string]Change) {
	fi, err := os.Lstat(path)
	if err != nil {
		if old := dir.entries[name]; old != nil {
			delete(dir.entries, name)
			forget(path, old, changes)
		}
		return
	}
	if l.exclude(path, fi.IsDir()) {
		return
	}
	if e := l.meet(path, name, fi, dir, true, changes); fi.IsDir() {
		l.read(path, e, changes)
	}
}

// read compares everything below path with what dir knows of it.
func (l *Listing) read(path string, dir *listed, changes map[string]Change) {
	f, err := os.Open(path)
	if err != nil {
		return // gone, of which its parent tells, or not ours to read
	}
	list, err := f.ReadDir(-1)
	f.Close()
	seen := make(map[string]bool, len(list))
	for _, d := range list {
		name := d.Name()
		at := filepath.Join(path, name)
		if l.exclude(at, d.IsDir()) {
			continue
		}
		fi, err := d.Info()
		if err != nil {
			continue
		}
		seen[name] = true
		if e := l.meet(at, name, fi, dir, false, changes); fi.IsDir() {
			l.read(at, e, changes)
		}
	}
	if err != nil {
		return // of a short list nothing is missing for sure
	}
	for name, old := range dir.entries {
		if !seen[name] {
			delete(dir.entries, name)
			forget(filepath.Join(path, name), old, changes)
		}
	}
}

// meet compares one entry that exists and returns what is known of it now.
func (l *Listing) meet(path, name string, fi os.FileInfo, dir *listed, hinted bool, changes map[string]Change) *listed {
	old := dir.entries[name]
	now := &listed{stamp: stampFrom(fi), dir: fi.IsDir(), at: time.Now()}
	dangling := false
	if fi.Mode()&os.ModeSymlink != 0 {
		target, err := os.Stat(path)
		dangling = err != nil
		now.dir = err == nil && target.IsDir()
	}
	if old != nil && old.mode.IsDir() != fi.IsDir() {
		forget(path, old, changes) // another kind has taken the name
		old = nil
	}
	if old != nil {
		now.entries = old.entries
	}
	if dir.entries == nil {
		dir.entries = map[string]*listed{}
	}
	dir.entries[name] = now
	switch {
	case dangling: // nothing can be done with it, and editors lock with such links
	case old == nil:
		changes[path] = Change{Path: path, Dir: now.dir, Created: true}
	case fi.IsDir(): // its time changes with its entries, which are compared
	case written(old, now, hinted):
		changes[path] = Change{Path: path, Dir: now.dir}
	}
	return now
}

// written tells a write from a change of mode, owner or links. Where stamps are
// too coarse to show it, an event decides.
func written(old, now *listed, hinted bool) bool {
	if old.size != now.size || old.inode != now.inode || !old.mtime.Equal(now.mtime) || old.mode.Type() != now.mode.Type() {
		return true
	}
	// The last look may have come between two writes of one tick; a change of
	// mode since then shows.
	return hinted && old.mode == now.mode && old.at.Sub(old.mtime) < stampGrain &&
		(now.ctime == 0 || time.Unix(0, now.ctime).Sub(now.mtime) < stampGrain)
}

// forget tells that an entry is gone with everything below it.
func forget(path string, old *listed, changes map[string]Change) {
	changes[path] = Change{Path: path, Dir: old.dir, Removed: true}
	for name, e := range old.entries {
		forget(filepath.Join(path, name), e, changes)
	}
}
