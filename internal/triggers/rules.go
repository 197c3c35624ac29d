package triggers

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/hotreflex/hr/internal/paths"
	"github.com/hotreflex/hr/internal/watch"
)

// Rules are the files that the build does not read and the program does:
// saving one restarts the program, or sends it a signal. The loop owns them.
type Rules struct {
	dir  string // globs are relative to it
	list []Rule
	seen map[string][]byte // hash of each named file at its last save; nil when it was gone
}

// Rule is one --restart-on or --signal-on.
type Rule struct {
	Glob   string
	Signal os.Signal // nil restarts
	Name   string    // of the signal
}

// Named is what the rules say of a batch.
type Named struct {
	Restart []string // files, for the line that tells it
	Signals []Signalled
	Same    []string // saved, with the content they had
}

// Signalled is one signal for files that were saved.
type Signalled struct {
	Rule  Rule
	Files []string
}

// granularity is how much older a file's time may be than the clock's when it
// was written: the kernel stamps with its tick, 10 ms at most.
const granularity = 10 * time.Millisecond

// NewRule checks a glob; a nil signal restarts.
func NewRule(glob string, signal os.Signal) (Rule, error) {
	glob = filepath.ToSlash(filepath.Clean(glob))
	if !doublestar.ValidatePattern(glob) {
		return Rule{}, errors.New("the pattern makes no sense")
	}
	return Rule{Glob: glob, Signal: signal}, nil
}

// NewRules returns the rules of a program that runs in dir.
func NewRules(dir string, list []Rule) *Rules {
	return &Rules{dir: dir, list: list, seen: map[string][]byte{}}
}

// matches reports whether a rule names a file, or a directory above it.
func (rs *Rules) matches(r Rule, path string) bool {
	name := filepath.ToSlash(path)
	if !filepath.IsAbs(filepath.FromSlash(r.Glob)) {
		rel, err := filepath.Rel(rs.dir, path)
		if err != nil {
			return false
		}
		name = filepath.ToSlash(rel)
	}
	return doublestar.MatchUnvalidated(r.Glob, name) || doublestar.MatchUnvalidated(r.Glob+"/**", name)
}

// base is the directory below which all that a rule names lies.
func (rs *Rules) base(r Rule) string {
	base, _ := doublestar.SplitPattern(r.Glob)
	base = filepath.FromSlash(base)
	if filepath.IsAbs(base) {
		return base
	}
	return filepath.Join(rs.dir, base)
}

// Trees returns the directories of rules that lie outside of what is watched.
// One that does not exist cannot be.
func (rs *Rules) Trees(watched []string) []string {
	var out []string
	for _, r := range rs.list {
		base := rs.base(r)
		if paths.WithinAny(base, watched) || paths.WithinAny(base, out) {
			continue
		}
		if fi, err := os.Stat(base); err == nil && fi.IsDir() {
			out = append(out, base)
		}
	}
	return out
}

// Take returns what the rules say of a batch, and the batch without it. keep
// holds what the build reads: such a file is for the build to judge. When
// events were lost, what is newer than since counts.
func (rs *Rules) Take(b watch.Batch, keep func(path string) bool, since time.Time) (Named, watch.Batch) {
	var n Named
	if len(rs.list) == 0 {
		return n, b
	}
	rest := b
	rest.Paths = nil
	for _, path := range b.Paths {
		fi, err := os.Lstat(path)
		switch {
		case err == nil && fi.IsDir():
			rs.below(path, func(file string, _ fs.FileInfo) { rs.note(&n, file, keep) })
			rest.Paths = append(rest.Paths, path)
		case err != nil && rs.holds(path):
			for _, file := range rs.known(path) {
				rs.note(&n, file, keep)
			}
			rest.Paths = append(rest.Paths, path)
		case !rs.note(&n, path, keep):
			rest.Paths = append(rest.Paths, path)
		}
	}
	if b.Rescan {
		for _, r := range rs.list {
			rs.below(rs.base(r), func(file string, fi fs.FileInfo) {
				if _, known := rs.seen[file]; known || fi.ModTime().After(since.Add(-granularity)) {
					rs.note(&n, file, keep)
				}
			})
		}
		n.Same = nil // nobody saved them
	}
	return n, rest
}

// note adds a file to what the rules say; false if they do not name it.
func (rs *Rules) note(n *Named, path string, keep func(string) bool) bool {
	var by []Rule
	for _, r := range rs.list {
		if rs.matches(r, path) {
			by = append(by, r)
		}
	}
	if len(by) == 0 || keep(path) {
		return false
	}
	if !rs.changed(path) {
		n.Same = append(n.Same, path)
		return true
	}
	name := filepath.Base(path)
	for _, r := range by {
		if r.Signal == nil {
			n.Restart = union(n.Restart, []string{name})
			continue
		}
		i := slices.IndexFunc(n.Signals, func(s Signalled) bool { return s.Rule == r })
		if i < 0 {
			i, n.Signals = len(n.Signals), append(n.Signals, Signalled{Rule: r})
		}
		n.Signals[i].Files = union(n.Signals[i].Files, []string{name})
	}
	return true
}

// changed compares a file with its last save. The first save always counts.
func (rs *Rules) changed(path string) bool {
	before, known := rs.seen[path]
	now := hashOf(path)
	rs.seen[path] = now
	return !known || !bytes.Equal(before, now)
}

// hashOf is nil for a file that is gone, or is none.
func hashOf(path string) []byte {
	if fi, err := os.Stat(path); err != nil || !fi.Mode().IsRegular() {
		return nil // opening a pipe would wait
	}
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil
	}
	return h.Sum(nil)
}

// holds reports whether a directory that is gone held named files.
func (rs *Rules) holds(dir string) bool { return len(rs.known(dir)) > 0 }

func (rs *Rules) known(dir string) []string {
	var out []string
	for file := range rs.seen {
		if file != dir && paths.Within(file, dir) {
			out = append(out, file)
		}
	}
	slices.Sort(out)
	return out
}

// below visits the files under a directory that rules name.
func (rs *Rules) below(dir string, visit func(path string, fi fs.FileInfo)) {
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil // it went away: there is nothing to visit
		case watch.DefaultExclude(path, d.IsDir()):
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case !d.Type().IsRegular():
			return nil
		}
		if slices.ContainsFunc(rs.list, func(r Rule) bool { return rs.matches(r, path) }) {
			if fi, err := d.Info(); err == nil {
				visit(path, fi)
			}
		}
		return nil
	})
}
