package link

// Forget frees a program's memory; its next link starts from nothing. A program
// that is being linked stays. The files that were written stay where they are
// and are taken back no more.
func (l *Incremental) Forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.states[key]
	if s == nil {
		return
	}
	select {
	case <-s.busy:
		delete(l.states, key)
		s.discard()
		s.busy <- struct{}{}
	default:
	}
}
