package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/hotreflex/hr/internal/watch"
)

// rules are the files that the build does not read and the program does:
// saving one restarts the program, or sends it a signal. The loop owns them.
type rules struct {
	dir  string // globs are relative to it
	list []rule
	seen map[string][]byte // hash of each named file at its last save; nil when it was gone
}

// rule is one --restart-on or --signal-on.
type rule struct {
	glob   string
	signal os.Signal // nil restarts
	name   string    // of the signal
}

// named is what the rules say of a batch.
type named struct {
	restart []string // files, for the line that tells it
	signals []signalled
	same    []string // saved, with the content they had
}

type signalled struct {
	rule  rule
	files []string
}

// granularity is how much older a file's time may be than the clock's when it
// was written: the kernel stamps with its tick, 10 ms at most.
const granularity = 10 * time.Millisecond

func newRule(glob string, signal os.Signal) (rule, error) {
	glob = filepath.ToSlash(filepath.Clean(glob))
	if !doublestar.ValidatePattern(glob) {
		return rule{}, errors.New("the pattern makes no sense")
	}
	return rule{glob: glob, signal: signal}, nil
}

// parseSignalOn reads SIGNAL:GLOB.
func parseSignalOn(word string) (rule, error) {
	name, glob, ok := strings.Cut(word, ":")
	if !ok || glob == "" {
		return rule{}, errors.New("want SIGNAL:GLOB")
	}
	sig, ok := parseSignal(name)
	if !ok {
		return rule{}, fmt.Errorf("%s is no signal of this system", name)
	}
	r, err := newRule(glob, sig)
	r.name = "SIG" + strings.TrimPrefix(strings.ToUpper(name), "SIG")
	return r, err
}

// newRules takes flags that were checked.
func newRules(dir string, f *superviseFlags) *rules {
	rs := &rules{dir: dir, seen: map[string][]byte{}}
	for _, glob := range f.restartOn {
		r, _ := newRule(glob, nil)
		rs.list = append(rs.list, r)
	}
	for _, word := range f.signalOn {
		r, _ := parseSignalOn(word)
		rs.list = append(rs.list, r)
	}
	return rs
}

// matches tells whether a rule names a file, or a directory above it.
func (rs *rules) matches(r rule, path string) bool {
	name := filepath.ToSlash(path)
	if !filepath.IsAbs(filepath.FromSlash(r.glob)) {
		rel, err := filepath.Rel(rs.dir, path)
		if err != nil {
			return false
		}
		name = filepath.ToSlash(rel)
	}
	return doublestar.MatchUnvalidated(r.glob, name) || doublestar.MatchUnvalidated(r.glob+"/**", name)
}

// base is the directory below which all that a rule names lies.
func (rs *rules) base(r rule) string {
	base, _ := doublestar.SplitPattern(r.glob)
	base = filepath.FromSlash(base)
	if filepath.IsAbs(base) {
		return base
	}
	return filepath.Join(rs.dir, base)
}

// trees returns the directories of rules that lie outside of what is watched.
// One that does not exist cannot be.
func (rs *rules) trees(watched []string) []string {
	var out []string
	for _, r := range rs.list {
		base := rs.base(r)
		if withinAny(base, watched) || withinAny(base, out) {
			continue
		}
		if fi, err := os.Stat(base); err == nil && fi.IsDir() {
			out = append(out, base)
		}
	}
	return out
}

// take returns what the rules say of a batch, and the batch without it. keep
// holds what the build reads: such a file is for the build to judge. When
// events were lost, what is newer than since counts.
func (rs *rules) take(b watch.Batch, keep func(path string) bool, since time.Time) (named, watch.Batch) {
	var n named
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
		n.same = nil // nobody saved them
	}
	return n, rest
}

// note adds a file to what the rules say; false if they do not name it.
func (rs *rules) note(n *named, path string, keep func(string) bool) bool {
	var by []rule
	for _, r := range rs.list {
		if rs.matches(r, path) {
			by = append(by, r)
		}
	}
	if len(by) == 0 || keep(path) {
		return false
	}
	if !rs.changed(path) {
		n.same = append(n.same, path)
		return true
	}
	name := filepath.Base(path)
	for _, r := range by {
		if r.signal == nil {
			n.restart = union(n.restart, []string{name})
			continue
		}
		i := slices.IndexFunc(n.signals, func(s signalled) bool { return s.rule == r })
		if i < 0 {
			i, n.signals = len(n.signals), append(n.signals, signalled{rule: r})
		}
		n.signals[i].files = union(n.signals[i].files, []string{name})
	}
	return true
}

// changed compares a file with its last save. The first save always counts.
func (rs *rules) changed(path string) bool {
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

// holds tells whether a directory that is gone held named files.
func (rs *rules) holds(dir string) bool { return len(rs.known(dir)) > 0 }

func (rs *rules) known(dir string) []string {
	var out []string
	for file := range rs.seen {
		if rel, err := filepath.Rel(dir, file); err == nil && rel != "." && rel != ".." && !hasDotDot(rel) {
			out = append(out, file)
		}
	}
	slices.Sort(out)
	return out
}

// below visits the files under a directory that rules name.
func (rs *rules) below(dir string, visit func(path string, fi fs.FileInfo)) {
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
		if slices.ContainsFunc(rs.list, func(r rule) bool { return rs.matches(r, path) }) {
			if fi, err := d.Info(); err == nil {
				visit(path, fi)
			}
		}
		return nil
	})
}
