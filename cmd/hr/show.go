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

// showBroken prints a syntax error with its line. The program that runs stays.
func (r *runner) showBroken(ch graph.Change, b watch.Batch) {
	r.showSyntax(*ch.Syntax, b.First)
	if r.alive() {
		r.c.screen.say("kept", red, "does not parse; "+r.kept(), nil)
	} else {
		r.c.screen.say("waiting", red, "does not parse; waiting for a change", nil)
		r.sup.Explain(r.syntaxText(*ch.Syntax))
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
	for _, ch := range reasons {
		for _, path := range slices.Sorted(maps.Keys(r.broken)) {
			r.c.screen.say("held", dim, r.short(ch.Path)+": waits until "+r.short(path)+" parses", map[string]any{
				"file": ch.Path, "verdict": ch.Verdict, "why": ch.Why,
			})
			break
		}
	}
}

// showNothing prints why a save does nothing, a line a file.
func (r *runner) showNothing(changes []graph.Change, b watch.Batch) {
	for _, ch := range changes {
		if ch.Verdict > astcheck.Same {
			continue
		}
		name := r.short(ch.Path)
		line := name + ": nothing to do: " + ch.Why
		again := r.tell(ch.Path, line)
		if again == 0 {
			continue
		}
		if again == tellTimes {
			line += " (said no more)"
		}
		r.c.screen.say("nothing", dim, line, map[string]any{
			"file": ch.Path, "verdict": ch.Verdict, "why": ch.Why, "took": time.Since(b.First),
		})
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
