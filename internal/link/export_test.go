package link

import "github.com/hotreflex/hr/internal/link/program"

// Phases are those of the last link of a state.
func (l *Incremental) Phases(state string) []program.Phase {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.states[state]; s != nil && s.prog != nil {
		return s.prog.Phases.List
	}
	return nil
}

// Functions are the names of all functions of the program of a state.
func (l *Incremental) Functions(state string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.states[state].prog.Functions()
}
