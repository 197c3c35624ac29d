package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/hotreflex/hr/internal/graph"
)

// errMoved says that an input changed while it was being compiled: what was
// read is unknown, and the whole build starts again from a new scan.
var errMoved = errors.New("an input changed during the build")

// movedError names the inputs.
type movedError struct{ files []string }

func (e *movedError) Error() string {
	if len(e.files) == 0 {
		return errMoved.Error()
	}
	return errMoved.Error() + ": " + strings.Join(e.files, ", ")
}

func (e *movedError) Unwrap() error { return errMoved }

// frozen are the copies of inputs that do not stand still. Each was read once:
// the action id and the compiler speak of the same bytes. So a file that is
// written all the time ends no build and spoils no archive.
type frozen struct {
	parent string            // of dir
	dir    string            // made when there is the first copy
	files  map[string]string // input -> copy
}

// freeze copies the inputs of the packages that moved in an earlier try, and then
// also those that are so young that they may be about to.
func freeze(parent string, s *graph.Snapshot, pkgs []string, moving map[string]bool) (*graph.Snapshot, []graph.Change, *frozen, error) {
	fz := &frozen{parent: parent, files: map[string]string{}}
	if len(moving) == 0 {
		return s, nil, fz, nil
	}
	moves := func(f *graph.File) bool { return moving[f.Path] || f.Stamp.Racy }
	next, changes, done, err := s.Freeze(pkgs, moves, fz.keep)
	if err != nil {
		fz.remove()
		return nil, nil, nil, fmt.Errorf("copy inputs: %w", err)
	}
	if !done {
		fz.remove()
		return nil, nil, nil, &movedError{sortedKeys(moving)}
	}
	return next, changes, fz, nil
}

// keep writes a copy under the file's own name, in a directory of its own.
func (fz *frozen) keep(path string, data []byte) (err error) {
	if fz.dir == "" {
		if fz.dir, err = os.MkdirTemp(fz.parent, "frozen-"); err != nil {
			return err
		}
	}
	dir := filepath.Join(fz.dir, strconv.Itoa(len(fz.files)))
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	file := filepath.Join(dir, filepath.Base(path))
	fz.files[path] = file
	return os.WriteFile(file, data, 0o600)
}

func (fz *frozen) remove() {
	if fz.dir != "" {
		os.RemoveAll(fz.dir)
	}
}

// of returns what the compiler is to read for an input.
func (fz *frozen) of(path string) string {
	if c := fz.files[path]; c != "" {
		return c
	}
	return path
}

// recipe has the compiler read the copies and write down the names of the inputs:
// the archive is that of the inputs themselves. The go command does the same for
// an overlay (cmd/go/internal/work/gc.go, trimpath).
func (fz *frozen) recipe(r *Recipe, p *graph.Package) (*Recipe, error) {
	if len(fz.files) == 0 {
		return r, nil
	}
	q := *r
	q.Files = nil
	_, to, _ := strings.Cut(strings.TrimSuffix(r.Trim, ";"), "=>")
	for _, path := range r.Files {
		file := fz.of(path)
		q.Files = append(q.Files, file)
		if file == path {
			continue
		}
		name := path
		if r.Trim != "" {
			name = to + "/" + filepath.Base(path)
		}
		q.Trim = file + "=>" + name + ";" + q.Trim
	}
	if r.Embed != "" {
		var err error
		if q.Embed, err = embedConfig(p, fz.of); err != nil {
			return nil, err
		}
	}
	return &q, nil
}

// text puts the names of the inputs into what the compiler said of the copies.
func (fz *frozen) text(out string) string {
	for path, file := range fz.files {
		out = strings.ReplaceAll(out, file, path)
	}
	return out
}
