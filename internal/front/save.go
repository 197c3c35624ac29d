package front

import (
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/hotreflex/hr/astcheck"
	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/graph"
)

// This file decides what follows from a save.

// onSaved has a batch judged, or keeps it until that can be done.
func (s *step) onSaved(b batch) {
	switch {
	case s.ask.opening || s.ask.awaiting:
		s.hold(b)
	case s.source.known:
		s.judge(b)
	case len(b.paths) > 0 || b.rescan:
		s.build(b.first, baseNames(b.paths))
	}
}

// hold keeps a batch until there is a snapshot to judge it by.
func (s *step) hold(b batch) {
	if s.source.held != nil {
		b = s.source.held.join(b)
	}
	s.source.held = &b
}

// onPictured takes the first snapshot of a session. What changed between its
// making and now is found by comparing every input.
func (s *step) onPictured(p pictured) {
	if !s.ask.awaiting {
		return
	}
	s.ask.awaiting = false
	s.source.known, s.source.have = true, p.number
	s.do(adopt{}, watch{})
	b := batch{first: p.at, rescan: true}
	if h := s.source.held; h != nil {
		s.source.held = nil
		b = *h
		b.blind = true
	}
	s.judge(b)
}

// judge has a batch looked at.
func (s *step) judge(b batch) {
	s.do(judge{b, slices.Sorted(maps.Keys(s.source.broken))})
}

// onJudged builds if a batch matters.
func (s *step) onJudged(j judged) {
	// Whether go build read a held file before or after it was saved is unknown
	// to the snapshot: hrd must look.
	if j.batch.blind {
		if !onlyUnused(j.changes) && !slices.ContainsFunc(j.changes, isBroken) {
			s.build(j.batch.first, names(j.changes))
			s.restartFor(j.restart, j.batch.first)
			return
		}
		s.program.due = union(s.program.due, j.restart)
		s.judge(batch{paths: j.batch.paths, first: j.batch.first, rescan: true})
		return
	}
	s.judged(j)
	if len(j.changes) > 0 { // a look at all inputs that found nothing: what was told still holds
		s.note(noteDecided{j.changes})
	}
}

func (s *step) judged(j judged) {
	reasons, mended := s.sort(j)
	if len(s.source.broken) > 0 {
		// Nothing can be built; a build in flight may read the broken file.
		s.source.dropped = s.source.dropped || s.ask.building || len(reasons) > 0
		s.drop()
		s.tellHeld(reasons)
		s.do(nothing{j.changes, j.batch.first})
		s.restartFor(j.restart, j.batch.first)
		return
	}
	for _, ch := range reasons {
		s.source.blamed = with(s.source.blamed, ch.Path)
	}
	s.source.doubt = s.source.doubt || s.ask.building && s.couldMend(j)
	undo := len(reasons) == 0 && !s.ask.building && (mended || s.source.failing && (!onlyUnused(j.changes) || s.couldMend(j)))
	if undo || s.source.dropped {
		s.do(scan{j})
		return
	}
	s.decide(j, reasons)
}

// sort splits what was judged: what matters, and what does not parse. mended
// reports whether a file that did not parse does now, or is gone.
func (s *step) sort(j judged) (reasons []graph.Change, mended bool) {
	var broken []graph.Change
	for _, ch := range j.changes {
		if isBroken(ch) {
			broken = append(broken, ch)
			continue
		}
		mended = mended || s.source.broken[ch.Path]
		s.source.broken = without(s.source.broken, ch.Path)
		if s.matters(ch) {
			reasons = append(reasons, ch)
		}
	}
	for _, ch := range broken {
		s.source.broken = with(s.source.broken, ch.Path)
		s.showBroken(ch, j.at.Sub(j.batch.first))
	}
	for _, path := range j.gone {
		mended = mended || s.source.broken[path]
		s.source.broken = without(s.source.broken, path)
	}
	return reasons, mended
}

// onScanned goes on with a batch after which all that is not as in the program
// counts, also what was saved while nothing could be built.
func (s *step) onScanned(in scanned) {
	s.source.dropped = false
	reasons := slices.DeleteFunc(slices.Clone(in.news), func(c graph.Change) bool { return !s.matters(c) })
	if len(reasons) == 0 && s.program.alive() && !s.behind() {
		s.source.failing = false
		s.source.blamed = nil
		s.note(noteStartGood{})
		s.do(explain{})
		s.tell(event.Restored{Generation: s.program.gen})
		s.restartFor(in.judged.restart, in.judged.batch.first)
		return
	}
	if len(reasons) == 0 {
		reasons = in.judged.changes // the program is to run again
	}
	s.decide(in.judged, reasons)
}

// decide builds for reasons, or says why not.
func (s *step) decide(j judged, reasons []graph.Change) {
	switch {
	case len(reasons) > 0:
		s.build(j.batch.first, names(reasons))
	case s.ask.building && !onlyUnused(j.changes):
		s.build(j.batch.first, names(j.changes)) // an undo of what is being built
	default:
		s.do(nothing{j.changes, j.batch.first})
	}
	s.restartFor(j.restart, j.batch.first)
}

// restartFor starts the program again for files that it reads itself, unless a
// build will.
func (s *step) restartFor(names []string, from time.Time) {
	s.program.due = union(s.program.due, names)
	if len(s.program.due) > 0 && !s.ask.building {
		s.rerun(s.program.due, from)
	}
}

// matters reports whether a change is worth a build.
func (s *step) matters(ch graph.Change) bool {
	if ch.Verdict == astcheck.Same {
		return s.opt.noopRestart && !ch.Touched()
	}
	return ch.Verdict > astcheck.Same
}

// showBroken tells of a syntax error. The program that runs stays.
func (s *step) showBroken(ch graph.Change, took time.Duration) {
	e := *ch.Syntax
	b := event.NewBroken(e, s.short(e.File), took)
	s.tell(b)
	if s.program.alive() {
		s.kept(event.NoParse)
		return
	}
	s.tell(event.Waiting{Trouble: event.NoParse})
	s.do(explain{b.Shown})
}

// tellHeld tells of edits that would be built, were there no broken file.
func (s *step) tellHeld(reasons []graph.Change) {
	broken := firstOf(s.source.broken)
	for _, ch := range reasons {
		s.tell(event.Held{File: ch.Path, Verdict: &ch.Verdict, Why: ch.Why, Broken: broken, Short: s.short(ch.Path), ShortBroken: s.short(broken), Many: len(s.source.broken)})
	}
}

// short gives a path relative to the program's directory where that is shorter.
func (s *step) short(path string) string {
	if rel, err := filepath.Rel(s.opt.dir, path); err == nil && len(rel) < len(path) {
		return rel
	}
	return path
}

func isBroken(ch graph.Change) bool { return ch.Verdict == astcheck.Broken }

func onlyUnused(changes []graph.Change) bool {
	return !slices.ContainsFunc(changes, func(c graph.Change) bool { return c.Verdict > astcheck.Unused })
}

func names(changes []graph.Change) []string {
	var out []string
	for _, c := range changes {
		if c.Verdict > astcheck.Unused {
			out = append(out, filepath.Base(c.Path))
		}
	}
	return out
}

func baseNames(paths []string) []string {
	var out []string
	for _, p := range paths {
		out = append(out, filepath.Base(p))
	}
	return out
}

// firstOf returns the smallest member of a set, "" of an empty one.
func firstOf(set map[string]bool) string {
	first := ""
	for path := range set {
		if first == "" || path < first {
			first = path
		}
	}
	return first
}
