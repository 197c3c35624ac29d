// Package edits makes random edits of Go modules, as people and tools make them,
// and takes them back.
//
// A Kind is one sort of edit; a Step is a kind with a seed and does the same to
// the same tree each time, so that a sequence of steps can be told, repeated and
// shortened. It knows nothing of builds: whether a program still compiles after
// an edit is for others to find out. The judges call it, benchmarks/judge from
// outside and the tests of package engine from inside. A Tree belongs to one
// goroutine.
package edits

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Tree is a module on disk and the stack of what was done to it.
type Tree struct {
	// Dir is the directory in which the go command runs. What lies beside it, in
	// its parent, is the tree's own as well.
	Dir string
	// Main is the directory of the main package, relative to Dir.
	Main string
	// Packages are the directories whose files are edited, relative to Dir.
	Packages []string
	// Above counts the packages of the tree that depend on a directory's. Where it
	// is known, three of four edits are made where it is low: an edit at the root
	// of a large tree compiles everything.
	Above map[string]int
	// Tags are those of the build: a file that they keep out is edited rarely.
	Tags []string
	// Not are kinds that make no sense here, or cost too much.
	Not []string
	// Env is the environment of go commands that an edit needs.
	Env []string

	stack []applied
}

// Step is one edit that can be repeated. The kind "undo" takes the last edit
// back that was not taken back yet.
type Step struct {
	Kind string `json:"kind"`
	Seed uint64 `json:"seed"`
}

func (s Step) String() string { return fmt.Sprintf("%s:%d", s.Kind, s.Seed) }

// Undo is the kind of the step that takes an edit back.
const Undo = "undo"

// applied is an edit and how to take it back, last first.
type applied struct {
	what string
	back []func() error
}

// Depth is how many edits can be taken back.
func (t *Tree) Depth() int { return len(t.stack) }

// Apply does a step. It tells what was done; nothing if the kind finds nothing
// to do in this tree.
func (t *Tree) Apply(s Step) (what string, err error) {
	if s.Kind == Undo {
		return t.undo()
	}
	k, ok := byName(s.Kind)
	if !ok {
		return "", fmt.Errorf("no kind %q", s.Kind)
	}
	if slices.Contains(t.Not, s.Kind) {
		return "", nil
	}
	e := &editor{t: t, r: rand.New(rand.NewPCG(s.Seed, 0)), id: int(s.Seed % 100000)}
	did := k.apply(e)
	if len(e.back) > 0 && (e.err != nil || !did) {
		if err := takeBack(e.back); err != nil {
			return "", errors.Join(e.err, err)
		}
	}
	if e.err != nil || !did {
		return "", e.err
	}
	t.stack = append(t.stack, applied{e.what, e.back})
	return e.what, nil
}

func (t *Tree) undo() (string, error) {
	if len(t.stack) == 0 {
		return "", nil
	}
	last := t.stack[len(t.stack)-1]
	t.stack = t.stack[:len(t.stack)-1]
	return "undo " + last.what, takeBack(last.back)
}

func takeBack(back []func() error) error {
	for _, f := range slices.Backward(back) {
		if err := f(); err != nil {
			return fmt.Errorf("take an edit back: %w", err)
		}
	}
	return nil
}

// Next draws a step: an edit of any of the kinds, or an undo.
func (t *Tree) Next(r *rand.Rand, kinds []string, undo float64) Step {
	if len(t.stack) > 0 && r.Float64() < undo {
		return Step{Kind: Undo}
	}
	return Step{Kind: kinds[r.IntN(len(kinds))], Seed: r.Uint64() >> 12}
}

// editor is one edit being made. All its methods do nothing after an error.
type editor struct {
	t    *Tree
	r    *rand.Rand
	id   int // a number of this edit's own, for names
	what string
	back []func() error
	err  error
}

func (e *editor) path(rel string) string { return filepath.Join(e.t.Dir, filepath.FromSlash(rel)) }

func (e *editor) say(format string, args ...any) bool {
	e.what = fmt.Sprintf(format, args...)
	return true
}

func (e *editor) fail(err error) {
	if e.err == nil && err != nil {
		e.err = err
	}
}

func (e *editor) read(rel string) (string, bool) {
	data, err := os.ReadFile(e.path(rel))
	return string(data), err == nil
}

func (e *editor) exists(rel string) bool {
	_, err := os.Lstat(e.path(rel))
	return err == nil
}

// write saves a file as one of the usual editors would, and keeps what it was.
func (e *editor) write(rel, text string) {
	if e.err != nil {
		return
	}
	path := e.path(rel)
	old, err := os.ReadFile(path)
	absent := errors.Is(err, fs.ErrNotExist)
	if absent {
		e.makeDir(filepath.Dir(path))
	}
	e.fail(save(path, []byte(text), e.r.IntN(3)))
	e.back = append(e.back, func() error {
		if absent {
			return os.Remove(path)
		}
		return save(path, old, 1)
	})
}

// makeDir makes a directory whose highest new part goes with the edit.
func (e *editor) makeDir(dir string) {
	highest := ""
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); err == nil || d == filepath.Dir(d) {
			break
		}
		highest = d
	}
	if highest == "" {
		return
	}
	e.fail(os.MkdirAll(dir, 0o755))
	e.back = append(e.back, func() error { return os.RemoveAll(highest) })
}

func (e *editor) remove(rel string) {
	if e.err != nil {
		return
	}
	path := e.path(rel)
	old, err := os.ReadFile(path)
	e.fail(err)
	e.fail(os.Remove(path))
	e.back = append(e.back, func() error { return save(path, old, 0) })
}

func (e *editor) rename(from, to string) {
	if e.err != nil {
		return
	}
	a, b := e.path(from), e.path(to)
	e.fail(os.Rename(a, b))
	e.back = append(e.back, func() error { return os.Rename(b, a) })
}

// save writes a file in place, as vim does with a backup, or as most others do
// by a rename.
func save(path string, data []byte, how int) error {
	switch how {
	case 0:
		return os.WriteFile(path, data, 0o644)
	case 1:
		temp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
		if err := os.WriteFile(temp, data, 0o644); err != nil {
			return err
		}
		return os.Rename(temp, path)
	}
	backup := path + "~"
	if err := os.Rename(path, backup); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		return err
	}
	if err := os.Remove(backup); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// wait lets other processes go on in the middle of an edit.
func (e *editor) wait(most time.Duration) { time.Sleep(time.Duration(e.r.Int64N(int64(most)))) }

// choose returns one of the values; the list must not be empty.
func choose[T any](e *editor, list []T) T { return list[e.r.IntN(len(list))] }

// files returns the names in a package's directory that end so, sorted.
func (e *editor) files(dir string, exts ...string) []string {
	entries, err := os.ReadDir(e.path(dir))
	if err != nil {
		return nil
	}
	var out []string
	for _, d := range entries {
		if d.Type().IsRegular() && slices.Contains(exts, filepath.Ext(d.Name())) && !strings.HasPrefix(d.Name(), ".") {
			out = append(out, filepath.ToSlash(filepath.Join(dir, d.Name())))
		}
	}
	return out
}

// packages returns the directories of the packages that are there, shuffled.
func (e *editor) packages() []string {
	var out []string
	for _, p := range e.t.Packages {
		if e.exists(p) {
			out = append(out, p)
		}
	}
	e.r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	if e.t.Above == nil || e.r.IntN(4) == 0 {
		return out
	}
	rank := func(p string) int { return min(1, e.t.Above[p]/few) }
	slices.SortStableFunc(out, func(a, b string) int { return rank(a) - rank(b) })
	return out
}

// few is how many packages depend on one of which few depend.
const few = 4
