package program

import "time"

// debugPanics makes run-time errors crash with their stack, for work on this
// package.
const debugPanics = false

// Phase is a named share of a link.
type Phase struct {
	Name string
	Took time.Duration
}

// Phases are the phases of a link in order.
type Phases struct {
	List []Phase
	last time.Time
}

func (p *Phases) start() {
	p.List = p.List[:0]
	p.last = time.Now()
}

// done ends a phase.
func (p *Phases) done(name string) {
	now := time.Now()
	p.List = append(p.List, Phase{name, now.Sub(p.last)})
	p.last = now
}
