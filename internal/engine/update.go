package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/hotreflex/hr/astcheck"
	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/order"
)

// movedTries is how often a build is tried because an input changed under it.
// From the second on, what moved is copied first, so only files that never moved
// before can spoil it: five covers a formatter that goes through a tree.
const movedTries = 5

// update brings a known program up to date with its source.
func (e *Engine) update(ctx context.Context, t *Target, last *Program, hooks Hooks) (*Program, *order.Outcome, error) {
	if t.flags.unhandled != "" || last.Unhandled != "" || last.Link == nil {
		return e.plainUpdate(ctx, t, last, hooks)
	}
	prog, out, err := e.updateTries(ctx, t, last)
	var fb *fallback
	switch {
	case errors.Is(err, errMoved):
		return nil, out, &order.Error{Text: err.Error()}
	case errors.As(err, &fb):
		prog, whole, err := e.load(ctx, t, last, fb.why, hooks)
		if whole != nil && out != nil {
			whole.Changes, whole.Worst = out.Changes, out.Worst
			whole.Phases.Scan = out.Phases.Scan
		}
		return prog, whole, err
	}
	return prog, out, err
}

// updateTries starts again when an input changed under the build, with a copy of
// what did.
func (e *Engine) updateTries(ctx context.Context, t *Target, last *Program) (*Program, *order.Outcome, error) {
	moving := map[string]bool{}
	for try := 1; ; try++ {
		prog, out, err := e.updateOnce(ctx, t, last, moving)
		var moved *movedError
		if !errors.As(err, &moved) || try == movedTries {
			return prog, out, err
		}
		for _, path := range moved.files {
			moving[path] = true
		}
	}
}

// plainUpdate runs go build if anything changed. A program that is stamped with
// the state of its repository changes with files that are no inputs.
func (e *Engine) plainUpdate(ctx context.Context, t *Target, last *Program, hooks Hooks) (*Program, *order.Outcome, error) {
	start := time.Now()
	changes := last.Snap.Scan()
	scan := time.Since(start)
	worst := graph.Worst(changes)
	for _, c := range changes {
		if c.Waits {
			return nil, &order.Outcome{Changes: changes, Worst: worst}, &order.Error{Text: shortPath(t.job.Dir, c.Path) + ": " + c.Why}
		}
	}
	if a, ok := e.sound(t, last.Artifact); ok && !hasNews(changes) && !t.stamped() {
		return last, &order.Outcome{Artifact: a, Changes: changes, Worst: worst, Phases: order.Phases{Scan: scan}}, nil
	}
	why := last.Unhandled
	if why == "" {
		why = "the go command did not show how it links"
	}
	prog, out, err := e.load(ctx, t, last, why, hooks)
	if out != nil {
		out.Changes, out.Worst, out.Phases.Scan = changes, worst, scan
	}
	return prog, out, err
}

// hasNews tells that the content of an input differs: a touch does not count.
func hasNews(changes []graph.Change) bool {
	return slices.ContainsFunc(changes, func(c graph.Change) bool {
		return c.Verdict > astcheck.Unused && !c.Touched()
	})
}

// Current tells that the program is that of its source as it is now, without a
// build. A file that came is news as well.
func (p *Program) Current() bool {
	return !hasNews(p.Snap.Scan()) && fileExists(p.Artifact.Path)
}

// updateOnce does one scan and all that follows from it.
func (e *Engine) updateOnce(ctx context.Context, t *Target, last *Program, moving map[string]bool) (*Program, *order.Outcome, error) {
	start := time.Now()
	changes := last.Snap.Scan()
	out := &order.Outcome{Changes: changes, Worst: graph.Worst(changes)}
	out.Phases.Scan = time.Since(start)

	for _, c := range changes {
		if c.Verdict == astcheck.Broken {
			return nil, out, &order.Error{Text: c.Syntax.Error(), Syntax: c.Syntax}
		}
		if c.Waits {
			return nil, out, &order.Error{Text: shortPath(t.job.Dir, c.Path) + ": " + c.Why}
		}
	}
	start = time.Now()
	snap, extra, err := e.nextSnapshot(ctx, t, last, changes)
	out.Phases.Load = time.Since(start)
	if err != nil {
		return nil, out, err
	}
	out.Reloaded = out.Worst == astcheck.Header
	for path := range snap.Packages {
		if p := snap.Packages[path]; p.Local {
			if _, ok := last.Archives[path]; !ok && !slices.Contains(extra, path) {
				extra = append(extra, path)
			}
		}
	}
	pl := makePlan(snap, changes, extra)
	snap, again, fz, err := freeze(t.scratch, snap, pl.set, moving)
	if err != nil {
		return nil, out, err
	}
	defer fz.remove()
	changes = append(changes, again...) // of one file the last word counts
	out.Changes, out.Worst = changes, max(out.Worst, graph.Worst(again))
	prog := &Program{Key: t.key, Snap: snap, Link: last.Link, Archives: last.Archives, Artifact: last.Artifact, Warnings: last.Warnings, Loaded: last.Loaded}

	start = time.Now()
	prog.Archives, out.Packages, err = e.execute(ctx, t, last, snap, pl, fz)
	out.Phases.Compile = time.Since(start)
	for _, r := range out.Packages {
		switch r.Action {
		case "compiled":
			out.Compiled++
		case "cut off":
			out.CutOff++
		case "reused":
			out.Reused++
		}
	}
	if err != nil {
		return nil, out, err
	}
	start = time.Now()
	err = e.link(ctx, t, prog, out)
	out.Phases.Link = time.Since(start)
	if err != nil {
		return nil, out, err
	}
	out.Artifact = prog.Artifact
	if prog.Artifact.Same(last.Artifact) && len(changes) == 0 && len(pl.set) == 0 {
		prog = last // nothing to save
	}
	return prog, out, nil
}

// nextSnapshot takes the changes over; header verdicts ask the go command.
// extra are packages whose archives are unknown.
func (e *Engine) nextSnapshot(ctx context.Context, t *Target, last *Program, changes []graph.Change) (s *graph.Snapshot, extra []string, err error) {
	var dirty []string
	var plain []graph.Change
	for _, c := range changes {
		switch {
		case c.Reload:
			return nil, nil, &fallback{c.Why}
		case c.Verdict == astcheck.Header:
			if !slices.Contains(dirty, c.Package) {
				dirty = append(dirty, c.Package)
			}
		default:
			plain = append(plain, c)
		}
		if p := last.Snap.Packages[c.Package]; p != nil && p.Unhandled != "" && c.Verdict > astcheck.Same {
			return nil, nil, &fallback{p.Path + " has " + p.Unhandled}
		}
	}
	s = last.Snap.WithFiles(plain)
	if len(dirty) == 0 {
		return s, nil, nil
	}
	before := debugDirectives(s.Main())
	s, _, err = s.Reload(ctx, e.loadConfig(t), dirty)
	switch {
	case err == nil && !slices.Equal(before, debugDirectives(s.Main())):
		return nil, nil, &fallback{"//go:debug decides how the program is linked"}
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case errors.Is(err, graph.ErrWhole):
		return nil, nil, &fallback{err.Error()}
	case err != nil:
		return nil, nil, &fallback{"the go command must say what is wrong"}
	}
	return s, dirty, nil
}

// debugDirectives returns the //go:debug lines of the main package: the go
// command makes a linker flag of them (cmd/go/internal/load/godebug.go).
func debugDirectives(main *graph.Package) []string {
	var out []string
	for _, path := range main.GoFiles {
		if c := main.Files[path].Check; c != nil {
			for _, d := range c.Directives {
				if strings.HasPrefix(d, "//go:debug") {
					out = append(out, d)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}
