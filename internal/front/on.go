package front

import (
	"github.com/hotreflex/hr/internal/event"
)

// step is one call of on: the model that it makes and the acts so far.
type step struct {
	model
	acts []act
}

// on returns what follows from an input. It is a function of its arguments
// alone.
func (m model) on(in input) (model, []act) {
	s := &step{model: m}
	switch in := in.(type) {
	case begun:
		s.open(false, in.at, nil)
	case saved:
		s.onSaved(in.batch)
	case judged:
		s.onJudged(in)
	case scanned:
		s.onScanned(in)
	case pictured:
		s.onPictured(in)
	case built:
		s.onBuilt(in)
	case answered:
		s.onAnswered(in)
	case refused:
		s.onRefused(in)
	case lost:
		s.onLost(in)
	case launched:
		s.onLaunched(in)
	case exited:
		s.onExited(in)
	case restart:
		s.onRestart(in)
	case rebuild:
		s.build(in.at, in.names)
	case changed:
		s.onChanged(in)
	}
	return s.model, s.acts
}

func (s *step) do(a ...act) { s.acts = append(s.acts, a...) }

func (s *step) tell(e event.Event) { s.do(tell{e}) }

// note is for hr why.
func (s *step) note(what any) { s.do(note{what}) }

// kept tells which program a save that gives none leaves alone.
func (s *step) kept(t event.Trouble) {
	k := event.Kept{Generation: s.program.gen, Trouble: t}
	if s.program.launching {
		k.Generation = 0
	}
	s.tell(k)
}
