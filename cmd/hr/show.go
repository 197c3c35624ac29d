package main

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hotreflex/hr/astcheck"
	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/paths"
	"github.com/hotreflex/hr/internal/printable"
	"github.com/hotreflex/hr/internal/watch"
)

// tellTimes is how often the same line about the same file is printed before
// it is printed no more: a log file in the tree would fill the screen.
const tellTimes = 3

// showStart tells of a start or a reload.
func (r *runner) showStart(l launch) {
	now := time.Now()
	if !r.sup.Listens() && !r.ready.asks() {
		now = l.gen.Started // what came after was waiting for a socket in vain
	}
	run := event.Run{Generation: l.gen.ID, Pid: l.gen.Pid, Files: l.names, Artifact: l.artifact.Told(), Total: now.Sub(l.from),
		Event: l.from, Ready: now, Timing: l.timing, Outcome: told(l.out), Phases: r.phases(l)}
	if l.gen.ID == 1 {
		r.tell(event.Start{Run: run})
		return
	}
	r.tell(event.Reload{Run: run, Rerun: l.rerun && l.out == nil})
}

// told is what an event tells of a build: of a change not what the snapshot keeps
// of its file.
func told(out *order.Outcome) *order.Outcome {
	if out == nil {
		return nil
	}
	t := *out
	t.Artifact = out.Artifact.Told()
	t.Changes = slices.Clone(out.Changes)
	for i := range t.Changes {
		t.Changes[i].File = nil
	}
	return &t
}

// phases is the waterfall of -v.
func (r *runner) phases(l launch) string {
	if !r.flags.verbose {
		return ""
	}
	out, t := l.out, l.timing
	var parts []string
	add := func(name string, d time.Duration) {
		if d > 0 {
			parts = append(parts, name+" "+event.Duration(d))
		}
	}
	var silence time.Duration
	if b := r.settled; b.First.Equal(l.from) {
		silence = b.Silence
		add("reflex", b.Held)
		add("settle", b.Silence-b.Held)
	}
	if out != nil {
		p := out.Phases
		add("go build", p.GoBuild)
		add("scan", p.Scan)
		add("load", p.Load)
		add("compile", p.Compile)
		add("link", p.Link)
		add("other", l.begin.Sub(l.from)-silence-p.GoBuild-p.Scan-p.Load-p.Compile-p.Link)
	}
	add("drain", t.Drain)
	add("stop", t.Stop)
	add("start", t.Start)
	add("ready", t.Ready)
	text := "\n      " + strings.Join(parts, ", ")
	if out != nil {
		for _, p := range out.Packages {
			if p.Action == "cut off" {
				continue // hr why lists them
			}
			text += printable.Sprintf("\n      %s: %s (%s)", p.Path, p.Action, p.Why)
			if p.Took > 0 {
				text += " " + event.Duration(p.Took)
			}
		}
		if out.Refused != "" {
			text += printable.Sprintf("\n      incremental linker: %s", out.Refused)
		}
	}
	return text
}

// showBroken tells of syntax errors: those of a few files, for of many, as after
// a merge, the first ones are enough. The program that runs stays.
func (r *runner) showBroken(changes []graph.Change, b watch.Batch) {
	for i, ch := range changes {
		if i < tellFiles || r.c.screen.JSON() {
			r.tell(r.broke(*ch.Syntax, b.First))
		}
	}
	if r.alive() {
		r.tell(event.Kept{Generation: r.keptID(), Trouble: event.NoParse, Broken: len(changes)})
		return
	}
	r.tell(event.Waiting{Trouble: event.NoParse, Broken: len(changes)})
	r.sup.Explain(r.broke(*changes[0].Syntax, b.First).Shown)
}

func (r *runner) broke(e astcheck.SyntaxError, from time.Time) event.Broken {
	return event.NewBroken(e, r.short(e.File), time.Since(from))
}

// keptID is the generation that a save without a program leaves alone, 0 while
// one is being started.
func (r *runner) keptID() int {
	if r.launch != nil || r.gen == nil {
		return 0
	}
	return r.gen.ID
}

// showWaiting tells of edits that would be built, were there no broken file.
func (r *runner) showWaiting(reasons []graph.Change) {
	broken := slices.Sorted(maps.Keys(r.broken))
	held := event.Held{Broken: broken[0], ShortBroken: r.short(broken[0]), Many: len(broken)}
	var names []string
	for _, ch := range reasons {
		names = append(names, r.short(ch.Path))
		if len(reasons) <= tellFiles || r.c.screen.JSON() {
			h := held
			h.File, h.Verdict, h.Why, h.Short = ch.Path, &ch.Verdict, ch.Why, r.short(ch.Path)
			r.tell(h)
		}
	}
	if len(reasons) > tellFiles && !r.c.screen.JSON() {
		held.Short = event.Names(names)
		r.tell(held)
	}
}

// tellFiles is how many files of a save have a line of their own for one reason.
// A generator or a formatter writes dozens, and then their number says more.
const tellFiles = 3

// showNothing prints why a save does nothing: a line a file, or one for many.
func (r *runner) showNothing(changes []graph.Change, b watch.Batch) {
	var reasons []string
	files := map[string][]graph.Change{}
	for _, ch := range changes {
		if ch.Verdict > astcheck.Same {
			continue
		}
		if files[ch.Why] == nil {
			reasons = append(reasons, ch.Why)
		}
		files[ch.Why] = append(files[ch.Why], ch)
	}
	for _, why := range reasons {
		r.showUseless(files[why], b.First)
	}
}

// showUseless tells of files that mean nothing for one reason. Programs that
// read JSON are told of each.
func (r *runner) showUseless(changes []graph.Change, since time.Time) {
	each := len(changes) <= tellFiles || r.c.screen.JSON()
	var names []string
	last := false
	for _, ch := range changes {
		again := r.toldTimes.count(ch.Path, ch.Why)
		if again == 0 {
			continue
		}
		names, last = append(names, r.short(ch.Path)), last || again == tellTimes
		if each {
			r.tell(event.Nothing{File: ch.Path, Verdict: &ch.Verdict, Why: ch.Why, Took: time.Since(since), Short: r.short(ch.Path), Last: again == tellTimes})
		}
	}
	if !each && len(names) > 0 {
		r.tell(event.Nothing{Why: changes[0].Why, Short: event.Names(names), Last: last})
	}
}

// showHeld explains why a save has no answer yet. Files that are source by no
// name are not told: a program that runs already writes its own.
func (r *runner) showHeld(b watch.Batch) {
	var names, paths []string
	for _, path := range b.Paths {
		if sourceName(path) && (r.held == nil || !slices.Contains(r.held.Paths, path)) {
			names, paths = append(names, r.short(path)), append(paths, path)
		}
	}
	if len(names) > 0 {
		r.tell(event.Held{Files: paths, Short: event.Names(names)})
	}
}

func (r *runner) tell(e event.Event) { r.c.screen.Tell(e) }

// repeats knows how often the same was told of a file in a row.
type repeats map[string]repeat

type repeat struct {
	why   string
	times int
}

// count returns the how manieth time it is; 0 means that it should not be told
// again.
func (t repeats) count(path, why string) int {
	if t[path].why != why {
		t[path] = repeat{why, 0}
	}
	if filepath.Ext(path) == ".go" {
		return 1
	}
	t[path] = repeat{why, t[path].times + 1}
	if t[path].times > tellTimes {
		return 0
	}
	return t[path].times
}

// short gives a path relative to the program's directory where that is shorter.
func (r *runner) short(path string) string {
	return paths.Short(r.job.Dir, path)
}
