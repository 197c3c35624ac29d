package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/paths"
	"github.com/hotreflex/hr/internal/protocol"
	"github.com/hotreflex/hr/internal/watch"
)

// This file decides what is watched: the workspace's modules as trees, and
// single directories beside them.

// watching is a watcher that has been set up.
type watching struct {
	watcher *watch.Watcher
	trees   []string
	err     error
}

// watchModule begins to watch before anything is known, so that no save is
// lost: the module's tree, or the directory alone where there is no module. A
// large tree takes its time, so the loop goes on meanwhile.
func (r *runner) watchModule() {
	if _, root := graph.ModulePath(r.job.Dir); root != "" {
		r.watchTrees([]string{root}, nil)
	} else {
		r.watchTrees(nil, []string{r.job.Dir})
	}
}

func (r *runner) watchTrees(trees, dirs []string) {
	r.ruleTrees = r.rules.Trees(trees)
	r.trees = append(slices.Clip(trees), r.ruleTrees...)
	trees = r.trees
	named := slices.Clone(r.env.Paths())
	exclude := func(path string, dir bool) bool {
		reach := r.reach.Load()
		switch {
		case slices.Contains(named, path), reach != nil && reach.Wants(path):
			return false
		case watch.DefaultExclude(path, dir), above(path, dir, trees):
			return true
		}
		return reach != nil && reach.Beside(path) && !paths.WithinAny(path, trees)
	}
	r.wg.Go(func() {
		w, err := watch.New(watch.Options{Trees: trees, Dirs: dirs, Source: r.flags.watcher, Exclude: exclude, Log: r.c.screen.Notice})
		if !send(r.ctx, r.watching, watching{w, trees, err}) && err == nil {
			w.Close()
		}
	})
}

// above tells that a path lies beside the way down to the trees. The directories
// there are watched for a go.work or go.mod that appears, and may be as busy as
// a home directory: everything else is nobody's business.
func above(path string, dir bool, trees []string) bool {
	if paths.WithinAny(path, trees) || !holdsAny(filepath.Dir(path), trees) {
		return false
	}
	switch filepath.Base(path) {
	case "go.work", "go.work.sum", "go.mod", "go.sum", "vendor":
		return false
	}
	return !dir || !holdsAny(path, trees)
}

// holdsAny tells that one of the trees lies below dir.
func holdsAny(dir string, trees []string) bool {
	for _, t := range trees {
		if paths.WithinAny(t, []string{dir}) {
			return true
		}
	}
	return false
}

// onWatching takes a watcher into use. What was saved before it saw anything is
// found by comparing every input.
func (r *runner) onWatching(w watching) {
	if w.err != nil {
		r.c.screen.Notice("cannot watch: %v", w.err)
		return
	}
	if r.watcher != nil {
		r.watcher.Close()
	}
	r.watcher, r.batches = w.watcher, w.watcher.Batches()
	r.watchNamed()
	if r.snap != nil {
		r.watchMore()
	}
	r.onBatch(watch.Batch{First: time.Now(), Rescan: true})
}

// watchMore watches what the snapshot needs beyond what is watched already.
func (r *runner) watchMore() {
	if !paths.WithinAll(r.snap.Roots, r.trees) {
		r.watchTrees(r.snap.Roots, nil)
		return
	}
	if r.watcher == nil {
		return // onWatching comes back
	}
	reach := r.snap.Reach(r.trees)
	r.reach.Store(reach) // first: the watcher asks it
	var dirs []string
	for _, d := range reach.Dirs {
		if !covered(d, r.trees) {
			dirs = append(dirs, d)
		}
	}
	text := ""
	if err := r.watcher.Add(dirs...); err != nil {
		text = err.Error()
	}
	if text != "" && text != r.addErr {
		r.c.screen.Notice("cannot watch everything: %s", text)
	}
	r.addErr = text
}

// covered tells that the directory is watched with one of the trees: none of the
// names on the way down to it is left out there.
func covered(dir string, trees []string) bool {
	for _, t := range trees {
		if !paths.WithinAny(dir, []string{t}) {
			continue
		}
		at := dir
		for at != t && !watch.DefaultExclude(at, true) {
			at = filepath.Dir(at)
		}
		if at == t {
			return true
		}
	}
	return false
}

// follow puts the names that the snapshot knows in the place of those that the
// watcher saw, where a link leads from the one to the other. What a link leads to
// now is watched before it is looked at.
func (r *runner) follow(b watch.Batch) watch.Batch {
	reach := r.reach.Load()
	if reach == nil {
		return b
	}
	known, again := make([]string, 0, len(b.Paths)), false
	for _, path := range b.Paths {
		inputs, all := reach.Inputs(path)
		b.Rescan = b.Rescan || all
		fi, err := os.Lstat(path)
		again = again || all || err == nil && fi.Mode()&os.ModeSymlink != 0
		if len(inputs) == 0 || r.snap.File(path) != nil {
			known = append(known, path)
		}
		known = append(known, inputs...)
	}
	slices.Sort(known)
	b.Paths = slices.Compact(known)
	if again || slices.ContainsFunc(b.Paths, r.snap.Awaits) {
		r.watchMore()
	}
	return b
}

// noReflex says that reflex was asked for and is not installed.
func noReflex(err error) error {
	e := &protocol.Error{Code: protocol.CodeUsage, Message: "-watcher=reflex: " + err.Error()}
	var none *watch.NoReflexError
	if errors.As(err, &none) {
		e.Hint = none.Hint()
	}
	return e
}
