package main

import (
	"path/filepath"
	"slices"
	"time"

	"github.com/hotreflex/hr/astcheck"
	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/paths"
	"github.com/hotreflex/hr/internal/triggers"
	"github.com/hotreflex/hr/internal/watch"
)

// This file starts the program again without a build: for files that it reads
// itself, and because somebody asked.

// takeNamed acts on the files of a batch that env files and rules name, when
// what is left of the batch has been judged: a build restarts the program anyway.
func (r *runner) takeNamed(b watch.Batch) (rest watch.Batch, act func()) {
	since := r.launchedAt
	if since.IsZero() {
		since = time.Now() // the program is still to read everything
	}
	n, rest := r.rules.Take(b, func(path string) bool { return r.snap.File(path) != nil }, since)
	n.Restart = union(n.Restart, r.readEnv(b, &n))
	rest.Paths = slices.DeleteFunc(rest.Paths, r.foreign)
	return rest, func() { r.onNamed(n, b.First) }
}

// foreign tells that a file is watched only for the sake of an env file or a
// rule: what lies beside them is nobody's business.
func (r *runner) foreign(path string) bool {
	if r.env.Has(path) {
		return r.snap.File(path) == nil
	}
	dir := filepath.Dir(path)
	beside := slices.Contains(r.env.Dirs(), dir) || paths.WithinAny(dir, r.ruleTrees)
	return beside && !paths.WithinAny(path, r.sourceTrees()) && r.snap.File(path) == nil && !slices.Contains(r.snap.WatchDirs(), dir)
}

// sourceTrees are the watched trees that the build knows.
func (r *runner) sourceTrees() []string { return r.trees[:len(r.trees)-len(r.ruleTrees)] }

// readEnv reads the env files anew and names those of the batch if the program
// would see another environment.
func (r *runner) readEnv(b watch.Batch, n *triggers.Named) []string {
	var saved []string
	for _, p := range b.Paths {
		if r.env.Has(p) {
			saved = append(saved, p)
		}
	}
	if len(saved) == 0 && !b.Rescan {
		return nil
	}
	changed, err := r.env.Read()
	switch {
	case err != nil && len(saved) > 0:
		r.c.screen.Notice("%v; the last good ones stay", err)
	case err == nil && changed:
		if len(saved) == 0 {
			saved = r.env.Paths()
		}
		return baseNames(saved)
	case err == nil:
		n.Same = append(n.Same, saved...)
	}
	return nil
}

func (r *runner) onNamed(n triggers.Named, from time.Time) {
	var same []graph.Change
	for _, path := range n.Same {
		same = append(same, graph.Change{Path: path, Verdict: astcheck.Same, Why: "the same content"})
	}
	r.showNothing(same, watch.Batch{First: from})
	for _, s := range n.Signals {
		r.sendSignal(s)
	}
	r.due = union(r.due, r.sawNamed(n.Restart))
	if len(r.due) > 0 && !r.building {
		r.rerun(r.due, from)
	}
}

// sendSignal tells the program, and nobody below it, to look at its files.
func (r *runner) sendSignal(s triggers.Signalled) {
	if r.gen == nil || r.exited == nil {
		return // the next start reads them
	}
	if err := signalProcess(r.gen.Pid, s.Rule.Signal); err != nil {
		r.c.screen.Notice("send %s to %s: %v", s.Rule.Name, r.number(), err)
		return
	}
	r.tell(event.Signal{Files: s.Files, Signal: s.Rule.Name, Generation: r.gen.ID, Pid: r.gen.Pid})
}

// rerun starts the newest program again. Without one, the first will see it all.
func (r *runner) rerun(names []string, from time.Time) {
	r.due = nil
	if r.running.Path != "" {
		r.start(launch{artifact: r.running, from: from, names: names, rerun: true})
	}
}

// watchNamed watches the directories of env files and rules that lie outside
// of what is watched.
func (r *runner) watchNamed() {
	if r.watcher == nil {
		return
	}
	var dirs []string
	for _, d := range r.env.Dirs() {
		if !paths.WithinAny(d, r.trees) {
			dirs = append(dirs, d)
		}
	}
	if err := r.watcher.Add(dirs...); err != nil {
		r.c.screen.Notice("cannot watch %s: %v", filepath.Join(dirs...), err)
	}
}
