package front

import (
	"time"

	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/protocol"
)

// This file starts programs and takes their ends. A start that fails is never
// simply tried again: the same program with the same surroundings would fail
// again.

// exitInterrupted is a shell's exit code after Ctrl-C.
const exitInterrupted = 130

// start begins a launch. One that is under way is cut short: the supervisor ends
// what it has started before it starts anew.
func (s *step) start(l launch) {
	p := &s.program
	p.running = l.artifact
	l.names = union(l.names, p.due)
	p.due = nil
	if p.launching {
		p.next = &l
		s.do(cut{})
		return
	}
	p.launching, p.live = true, false // the old generation's end is wanted now
	s.do(start{l})
}

// rerun starts the newest program again. Without one, the first will see it all.
func (s *step) rerun(names []string, from time.Time) {
	s.program.due = nil
	if s.program.running.Path != "" {
		s.start(launch{artifact: s.program.running, from: from, names: names, rerun: true})
	}
}

// onLaunched takes a finished start over.
func (s *step) onLaunched(in launched) {
	p, l := &s.program, in.launch
	p.launching = false
	if in.gen > 0 {
		p.gen, p.pid, p.live = in.gen, in.pid, true
		s.note(noteStarted{in.gen, in.pid})
	}
	if p.next != nil {
		next := *p.next
		p.next = nil
		next.names = union(l.names, next.names)
		if next.rerun && !l.back {
			next.out = l.out
		}
		s.start(next)
		return
	}
	if in.gen == 0 {
		p.running = order.Artifact{}
		s.tell(event.Error{Error: protocol.AsError(in.err), Outcome: l.out})
		s.answer(reply{err: in.err.Error()})
		return
	}
	s.do(keys{})
	if why := s.whyFailed(in); why != "" {
		s.onFailed(in, why)
		return
	}
	if !l.back {
		s.do(showStart{in})
	}
	if s.source.failing || len(s.source.broken) > 0 {
		// A save that came while it started: what was told of that still holds.
		s.kept(event.NoBuild)
	} else {
		s.do(explain{})
	}
	s.onGood(in)
	s.answer(reply{gen: in.gen, pid: in.pid})
}

// whyFailed says why a start that is through was none, "" if it was one.
func (s *step) whyFailed(in launched) string {
	o := s.opt
	if !in.done {
		switch {
		case in.err != nil:
			return "it is not ready: " + reason(in.err)
		case o.readyTCP && !in.listens, o.readyTimeout && !o.readyAsked && s.program.good.listened && !in.listens:
			return "it does not listen"
		}
		return ""
	}
	switch {
	case in.ready, in.exit.interrupted:
		return ""
	case in.exit.code == 0 && !o.readyGiven && !s.program.good.listened:
		return "" // a program that does its work and ends
	}
	return "it ended with " + in.exit.text + " before it was ready"
}

// onFailed shows a failed start and goes back to the last good program.
func (s *step) onFailed(in launched, why string) {
	p := &s.program
	if in.done {
		p.live = false // this is how it is told
	}
	f := event.Failed{Generation: in.gen, Pid: in.pid, Files: in.launch.names, Why: why, Exited: in.done,
		Output: in.output, Total: in.at.Sub(in.launch.from), Outcome: in.launch.out}
	if in.done {
		f.Code = in.exit.status
	}
	back, ok := s.goBack(in)
	if ok {
		f.Back = p.good.gen
	}
	s.tell(f)
	s.note(noteStartFailed{f})
	if in.done {
		s.do(blamePort{in.output})
	}
	text := "the program of " + f.Story()
	for _, line := range in.output {
		text += "\n" + line
	}
	s.do(explain{text})
	s.answer(reply{gen: in.gen, pid: in.pid, err: f.Story()})
	if ok {
		s.start(back)
	}
}

// goBack makes the launch of the last good program, if there is one that is
// not what has just failed.
func (s *step) goBack(in launched) (launch, bool) {
	g := s.program.good
	same := g.artifact.Key == in.launch.artifact.Key && g.env == in.env
	if g.artifact.Path == "" || in.launch.back || same || in.goodGone || !s.opt.keepGood.or(in.kept) {
		return launch{}, false
	}
	return launch{artifact: g.artifact, from: in.at, back: true}, true
}

// onGood remembers a program that became ready.
func (s *step) onGood(in launched) {
	p, l := &s.program, in.launch
	if l.back {
		s.tell(event.Back{Generation: in.gen, Pid: in.pid, Of: p.good.gen, Took: in.at.Sub(l.from)})
	}
	if !l.back || p.good.gen == 0 {
		p.good.gen = in.gen
	}
	if !l.back {
		s.note(noteStartGood{})
	}
	p.good.artifact, p.good.env, p.good.listened = l.artifact, in.env, in.listens || s.opt.readyAsked
}

// onExited tells that the program ended by itself. If it had the terminal and a
// Ctrl-C ended it, that Ctrl-C was for hr too.
func (s *step) onExited(in exited) {
	if !s.program.live {
		return
	}
	s.program.live = false
	if in.exit.interrupted {
		s.do(quit{code: exitInterrupted})
		return
	}
	s.do(explain{"the program has ended: " + in.exit.text})
	s.note(noteEnded{in.exit.text})
	s.tell(event.Exited{Code: in.exit.status, How: in.exit.text})
}

// answer tells those who wait for a restart.
func (s *step) answer(r reply) {
	for _, who := range s.program.waiting {
		r.who = who
		s.do(r)
	}
	s.program.waiting = nil
}

// reason is the innermost error: the outer ones say what the line says anyway.
func reason(err error) string {
	type wraps interface{ Unwrap() error }
	for {
		w, ok := err.(wraps)
		if !ok || w.Unwrap() == nil {
			return err.Error()
		}
		err = w.Unwrap()
	}
}
