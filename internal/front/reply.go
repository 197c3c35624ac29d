package front

import (
	"slices"
	"time"

	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/protocol"
)

// This file asks hrd for programs and takes its answers. Each request has a
// number, and only the answer to the newest counts.

// lostAgain is how soon after a daemon's death another one makes us go on
// without: a build that kills it would kill the next as well.
const lostAgain = time.Minute

// open opens a session. What is saved meanwhile waits for its snapshot.
func (s *step) open(alone bool, from time.Time, names []string) {
	s.ask.seq++
	s.ask.opening, s.ask.building, s.ask.early = true, true, false
	s.ask.names, s.ask.from = names, from
	s.do(open{s.ask.seq, alone})
}

// build asks for the program as its source is now; the build before is given up.
func (s *step) build(from time.Time, names []string) {
	if s.ask.opening {
		return // its answer is looked at before anything else
	}
	s.source.doubt = false
	if s.ask.building {
		names = union(s.ask.names, names)
	}
	if !s.ask.session {
		s.reopen(from, names) // there was none, or nobody needed it until now
		return
	}
	if s.ask.building {
		s.do(cancel{})
	}
	s.ask.seq++
	have := s.source.have
	if !s.source.known {
		have = 0
	}
	s.ask.building, s.ask.names, s.ask.from = true, names, from
	s.do(build{s.ask.seq, have, s.program.good.artifact})
}

// drop gives up the build in flight. An open goes on: without a session there
// is nothing to build with.
func (s *step) drop() {
	if s.ask.opening || !s.ask.building {
		return
	}
	s.ask.seq++ // whatever it still answers is of no use
	s.ask.building = false
	s.do(cancel{})
}

// onBuilt runs a program before all about it is known: only the first one, for
// until then there is nothing on the screen.
func (s *step) onBuilt(b built) {
	if b.seq == s.ask.seq && s.ask.opening && s.program.gen == 0 && !s.program.launching {
		s.ask.early = true
		s.start(launch{artifact: b.artifact, from: s.ask.from})
	}
}

// onAnswered takes the program of a request.
func (s *step) onAnswered(a answered) {
	if a.open {
		s.opened(true, a.local)
		s.ask.awaiting = true
	}
	if a.seq != s.ask.seq {
		return
	}
	s.ask.building = false
	switch {
	case a.open:
	case a.whole:
		s.source.known = true
		s.do(adopt{}, watch{})
	default:
		s.do(apply{a.out.Changes})
	}
	s.source.have, s.source.made = a.number, a.out.Artifact.Key
	s.source.failing, s.source.dropped, s.source.doubt = false, false, false
	s.source.blamed = nil
	s.do(explain{})
	s.note(noteBuilt{a.out})
	s.tellOutcome(a.out)
	s.take(a)
}

// tellOutcome tells what a build said beside its program.
func (s *step) tellOutcome(out *order.Outcome) {
	for _, w := range out.Warnings {
		s.tell(event.Notice{Text: w})
	}
	if s.opt.wantsLinker && out.Refused != "" && out.Refused != s.ask.refused {
		s.ask.refused = out.Refused
		s.tell(event.Notice{Text: "the incremental linker left it to the toolchain's: " + out.Refused})
	}
	if out.Text != "" {
		s.tell(event.Output{Text: out.Text})
	}
}

// take starts the program of an answer, unless it runs already.
func (s *step) take(a answered) {
	out, p := a.out, &s.program
	same := p.alive() && out.Artifact.Key == p.running.Key && len(p.due) == 0
	if same && p.running.Key == p.good.artifact.Key {
		s.note(noteStartGood{}) // what failed to start was taken back
	}
	switch {
	case a.open && s.ask.early && out.Built:
		// It runs since the go command had linked it; now it has its own name.
		if p.good.artifact == p.running {
			p.good.artifact = out.Artifact
		}
		p.running = out.Artifact
	case same && len(s.ask.names) > 0:
		s.tell(event.Unchanged{Outcome: out, Files: s.ask.names})
	case same:
	default:
		s.start(launch{artifact: out.Artifact, from: s.ask.from, out: out, names: s.ask.names})
	}
}

// opened notes what an open gave. Its snapshot is still to come.
func (s *step) opened(session, local bool) {
	s.ask.opening, s.ask.session, s.ask.local = false, session, local
	s.ask.backend, s.ask.awaiting = s.ask.backend || session, false
	s.source.known = false
	s.do(forget{})
}

// onRefused shows why there is no new program. The one that runs stays.
func (s *step) onRefused(r refused) {
	if r.open {
		s.opened(r.failure != nil, r.local)
		s.ask.backend = r.backend
	}
	if r.seq != s.ask.seq {
		return
	}
	s.ask.building = false
	p := &s.program
	switch {
	case r.failure != nil && r.err.Code == protocol.CodeCanceled, // hrd was told to end
		r.failure == nil && r.backend && !r.local && r.lost:
		s.ask.gone = true
		s.reopenAt(r.at, s.ask.from, s.ask.names)
		return
	case p.gen == 0 && !p.launching && !s.source.failing && r.err.Code != protocol.CodeBuild:
		s.do(quit{err: r.err}) // no save will help
		return
	}
	// The look at all inputs once they are watched finds what was told already.
	again := s.source.failing && s.source.failure == r.err.Message && len(s.ask.names) == 0
	s.source.failing, s.source.failure = true, r.err.Message
	if s.source.doubt {
		s.source.doubt = false
		s.build(s.ask.from, s.ask.names) // what it complains of may be mended already
		s.release()
		return
	}
	s.tellRefused(r, again)
	s.do(keys{})
	if len(p.due) > 0 {
		s.rerun(p.due, s.ask.from)
	}
	s.release()
}

// release takes up what was held for a snapshot that does not come.
func (s *step) release() {
	if h := s.source.held; h != nil {
		s.source.held = nil
		s.onSaved(*h)
	}
}

// tellRefused tells why a build gave nothing, and what runs.
func (s *step) tellRefused(r refused, again bool) {
	if r.failure != nil {
		s.note(noteFailed{r.failure})
	}
	s.do(explain{r.err.Message})
	if again {
		return
	}
	if f := r.failure; f != nil && f.Build != nil && f.Build.Syntax != nil {
		s.tell(event.NewBroken(*f.Build.Syntax, s.short(f.Build.Syntax.File), r.at.Sub(s.ask.from)))
	} else {
		s.tell(event.Error{Error: r.err})
	}
	if s.program.alive() {
		s.kept(event.NoTrouble)
	} else {
		s.tell(event.Waiting{})
	}
}

// reopen opens another session.
func (s *step) reopen(from time.Time, names []string) { s.reopenAt(from, from, names) }

// reopenAt opens another session at the time now. If the last one ended under
// us, that is with a new daemon, or, if that dies as well, with a private one.
func (s *step) reopenAt(now, from time.Time, names []string) {
	if s.ask.session {
		s.ask.session = false
		s.do(hangUp{})
	}
	alone := false
	if s.ask.gone {
		s.ask.gone, s.ask.backend = false, false
		s.do(hangUp{backend: true})
		alone = !s.ask.lostAt.IsZero() && now.Sub(s.ask.lostAt) < lostAgain
		s.ask.lostAt = now
		if alone {
			s.tell(event.Notice{Text: "hrd is gone again: going on without it"})
		} else {
			s.tell(event.Notice{Text: "hrd is gone: going on with a new one"})
		}
	}
	s.open(alone, from, names)
}

// onLost takes note of a session that ended. Nobody needs another one before
// the next save, unless one waits already.
func (s *step) onLost(l lost) {
	if !s.ask.backend || s.ask.local || !s.ask.session {
		return
	}
	s.ask.session, s.ask.gone = false, true
	if s.ask.awaiting {
		s.ask.awaiting = false
		s.reopen(l.at, nil)
	}
}

// onChanged asks for the program of another profile.
func (s *step) onChanged(c changed) {
	if s.ask.opening {
		s.tell(event.Notice{Text: "wait for the build: then t changes the profile"})
		return
	}
	s.drop()
	s.reopen(c.at, c.names)
}

// onRestart starts the newest program again, without a build.
func (s *step) onRestart(r restart) {
	if s.program.running.Path == "" {
		if r.who == 0 {
			s.tell(event.Notice{Text: "there is no program yet"})
		} else {
			s.do(reply{who: r.who, err: "there is no program yet: it has not been built"})
		}
		return
	}
	if r.who != 0 {
		s.program.waiting = append(slices.Clip(s.program.waiting), r.who)
	}
	s.rerun(r.names, r.at)
}
