package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hotreflex/hr/astcheck"
	"github.com/hotreflex/hr/internal/engine"
	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/paths"
	"github.com/hotreflex/hr/internal/printable"
	"github.com/hotreflex/hr/internal/supervisor"
	"github.com/hotreflex/hr/internal/watch"
)

// tellTimes is how often the same line about the same file is printed before
// it is printed no more: a log file in the tree would fill the screen.
const tellTimes = 3

// reload is the data of a reload event: durations in nanoseconds.
type reload struct {
	Generation int               `json:"generation"`
	Pid        int               `json:"pid"`
	Files      []string          `json:"files,omitempty"`
	Artifact   engine.Artifact   `json:"artifact"`
	Total      time.Duration     `json:"total"`
	Event      time.Time         `json:"eventTime"`
	Ready      time.Time         `json:"readyTime"`
	Timing     supervisor.Timing `json:"timing"`
	Outcome    *engine.Outcome   `json:"outcome,omitempty"`
}

// showStart prints the one line that tells a start or a reload.
func (r *runner) showStart(l launch) {
	now := time.Now()
	if !r.sup.Listens() && !r.ready.asks() {
		now = l.gen.Started // what came after was waiting for a socket in vain
	}
	total := now.Sub(l.from)
	out := l.out
	data := reload{Generation: l.gen.ID, Pid: l.gen.Pid, Files: l.names, Artifact: l.artifact, Total: total, Event: l.from, Ready: now, Timing: l.timing, Outcome: told(out)}
	if l.gen.ID == 1 {
		text := "started in " + ms(total)
		switch {
		case out == nil || out.Phases.GoBuild > 0:
			text = "built and " + text
		case out.Compiled == 0 && out.Linker == "":
			text = "up to date, " + text
		default:
			text = did(out) + ", " + text
		}
		r.c.screen.sayMore("start", green, text+" (#1)", r.phases(l), data)
		return
	}
	what := did(out) + ", "
	if l.rerun && out == nil {
		what = "" // nothing was built for it
	}
	text := fmt.Sprintf("%s → %srestarted in %s (#%d)", join(l.names), what, ms(total), l.gen.ID)
	r.c.screen.sayMore("reload", green, text, r.phases(l), data)
}

// told is what an event tells of a build: of a change not what the snapshot keeps
// of its file.
func told(out *engine.Outcome) *engine.Outcome {
	if out == nil {
		return nil
	}
	t := *out
	t.Changes = slices.Clone(out.Changes)
	for i := range t.Changes {
		t.Changes[i].File = nil
	}
	return &t
}

// did tells what a build did, as in "1 compiled, 3 cut off, linked 18 ms".
func did(out *engine.Outcome) string {
	if out == nil {
		return "built"
	}
	if out.Fallback != "" {
		return fmt.Sprintf("go build %s (%s)", ms(out.Phases.GoBuild), out.Fallback)
	}
	var parts []string
	parts = append(parts, fmt.Sprintf("%d compiled", out.Compiled))
	if out.Reused > 0 {
		parts = append(parts, fmt.Sprintf("%d reused", out.Reused))
	}
	if out.CutOff > 0 {
		parts = append(parts, fmt.Sprintf("%d cut off", out.CutOff))
	}
	if out.Linker != "" {
		parts = append(parts, "linked "+ms(out.Phases.Link))
	} else {
		parts = append(parts, "linked before")
	}
	return strings.Join(parts, ", ")
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
			parts = append(parts, name+" "+ms(d))
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
				text += " " + ms(p.Took)
			}
		}
		if out.Refused != "" {
			text += printable.Sprintf("\n      incremental linker: %s", out.Refused)
		}
	}
	return text
}

// showBroken prints syntax errors with their lines: those of a few files, for of
// many, as after a merge, the first ones are enough. The program that runs stays.
func (r *runner) showBroken(changes []graph.Change, b watch.Batch) {
	for i, ch := range changes {
		if i < tellFiles || r.c.screen.json {
			r.showSyntax(*ch.Syntax, b.First)
		}
	}
	what := "does not parse; "
	if len(changes) > 1 {
		what = fmt.Sprintf("%d files do not parse; ", len(changes))
	}
	if r.alive() {
		r.c.screen.say("kept", red, what+r.kept(), nil)
	} else {
		r.c.screen.say("waiting", red, what+"waiting for a change", nil)
		r.sup.Explain(r.syntaxText(*changes[0].Syntax))
	}
}

func (r *runner) showSyntax(e astcheck.SyntaxError, from time.Time) {
	data := map[string]any{"file": e.File, "line": e.Line, "col": e.Col, "message": e.Msg, "took": time.Since(from)}
	r.c.screen.text("broken", r.syntaxText(e), data)
}

func (r *runner) syntaxText(e astcheck.SyntaxError) string {
	e.File = r.short(e.File)
	text := e.Error()
	if excerpt := e.Excerpt(); excerpt != "" {
		text += "\n" + excerpt
	}
	return text
}

// showWaiting tells of edits that would be built, were there no broken file.
func (r *runner) showWaiting(reasons []graph.Change) {
	broken := slices.Sorted(maps.Keys(r.broken))
	ending := ": waits until " + r.short(broken[0]) + " parses"
	if len(broken) > 1 {
		ending = fmt.Sprintf(": waits until %d files parse", len(broken))
	}
	var names []string
	for _, ch := range reasons {
		names = append(names, r.short(ch.Path))
		if len(reasons) <= tellFiles || r.c.screen.json {
			r.c.screen.say("held", dim, r.short(ch.Path)+ending, map[string]any{
				"file": ch.Path, "verdict": ch.Verdict, "why": ch.Why,
			})
		}
	}
	if len(reasons) > tellFiles && !r.c.screen.json {
		r.c.screen.say("held", dim, join(names)+ending, nil)
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
	ending := ": nothing to do: " + changes[0].Why
	var names []string
	last := false
	for _, ch := range changes {
		name := r.short(ch.Path)
		again := r.tell(ch.Path, name+ending)
		if again == 0 {
			continue
		}
		names, last = append(names, name), last || again == tellTimes
		if len(changes) > tellFiles && !r.c.screen.json {
			continue
		}
		line := name + ending
		if again == tellTimes {
			line += " (said no more)"
		}
		r.c.screen.say("nothing", dim, line, map[string]any{
			"file": ch.Path, "verdict": ch.Verdict, "why": ch.Why, "took": time.Since(since),
		})
	}
	if len(changes) <= tellFiles || r.c.screen.json || len(names) == 0 {
		return
	}
	line := join(names) + ending
	if last {
		line += " (said no more)"
	}
	r.c.screen.say("nothing", dim, line, nil)
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
		r.c.screen.say("held", dim, join(names)+": saved while hr loads the program; it is looked at as soon as that is done",
			map[string]any{"files": paths})
	}
}

// tell counts how often a line was printed in a row for a file; 0 means that it
// should not be printed again.
func (r *runner) tell(path, line string) int {
	if r.told[path] != line {
		r.told[path] = line
		r.toldTimes[path] = 0
	}
	if filepath.Ext(path) == ".go" {
		return 1
	}
	r.toldTimes[path]++
	if r.toldTimes[path] > tellTimes {
		return 0
	}
	return r.toldTimes[path]
}

// short gives a path relative to the program's directory where that is shorter.
func (r *runner) short(path string) string {
	return paths.Short(r.job.Dir, path)
}

// join names the files of a batch: three at most.
func join(names []string) string {
	switch {
	case len(names) == 0:
		return "the source"
	case len(names) > 3:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:2], ", "), len(names)-2)
	}
	return strings.Join(names, ", ")
}
