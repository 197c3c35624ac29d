package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

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
	n, rest := r.rules.take(b, func(path string) bool { return r.snap.File(path) != nil }, since)
	n.restart = union(n.restart, r.readEnv(b, &n))
	rest.Paths = slices.DeleteFunc(rest.Paths, r.foreign)
	return rest, func() { r.onNamed(n, b.First) }
}

// foreign tells that a file is watched only for the sake of an env file or a
// rule: what lies beside them is nobody's business.
func (r *runner) foreign(path string) bool {
	if r.env.has(path) {
		return r.snap.File(path) == nil
	}
	dir := filepath.Dir(path)
	beside := slices.Contains(r.env.dirs(), dir) || withinAny(dir, r.ruleTrees)
	return beside && !withinAny(path, r.sourceTrees()) && r.snap.File(path) == nil && !slices.Contains(r.snap.WatchDirs(), dir)
}

// sourceTrees are the watched trees that the build knows.
func (r *runner) sourceTrees() []string { return r.trees[:len(r.trees)-len(r.ruleTrees)] }

// readEnv reads the env files anew and names those of the batch if the program
// would see another environment.
func (r *runner) readEnv(b watch.Batch, n *named) []string {
	var saved []string
	for _, p := range b.Paths {
		if r.env.has(p) {
			saved = append(saved, p)
		}
	}
	if len(saved) == 0 && !b.Rescan {
		return nil
	}
	changed, err := r.env.read()
	switch {
	case err != nil && len(saved) > 0:
		r.c.screen.notice("%v; the last good ones stay", err)
	case err == nil && changed:
		if len(saved) == 0 {
			saved = r.env.paths
		}
		return baseNames(saved)
	case err == nil:
		n.same = append(n.same, saved...)
	}
	return nil
}

func (r *runner) onNamed(n named, from time.Time) {
	for _, path := range n.same {
		line := r.short(path) + ": nothing to do: the same content"
		if r.tell(path, line) > 0 {
			r.c.screen.say("nothing", dim, line, map[string]any{"file": path, "took": time.Since(from)})
		}
	}
	for _, s := range n.signals {
		r.sendSignal(s)
	}
	r.due = union(r.due, n.restart)
	if len(r.due) > 0 && !r.building {
		r.rerun(r.due, from)
	}
}

// sendSignal tells the program, and nobody below it, to look at its files.
func (r *runner) sendSignal(s signalled) {
	if r.gen == nil || r.exited == nil {
		return // the next start reads them
	}
	if err := signalProcess(r.gen.Pid, s.rule.signal); err != nil {
		r.c.screen.notice("send %s to %s: %v", s.rule.name, r.number(), err)
		return
	}
	r.c.screen.say("signal", green, fmt.Sprintf("%s → sent %s to %s", join(s.files), s.rule.name, r.number()), map[string]any{
		"files": s.files, "signal": s.rule.name, "generation": r.gen.ID, "pid": r.gen.Pid,
	})
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
	for _, d := range r.env.dirs() {
		if !withinAny(d, r.trees) {
			dirs = append(dirs, d)
		}
	}
	if err := r.watcher.Add(dirs...); err != nil {
		r.c.screen.notice("cannot watch %s: %v", filepath.Join(dirs...), err)
	}
}
