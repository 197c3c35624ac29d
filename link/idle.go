package link

import "context"

// Verify checks the program of a key as Options.Check does at every link, for
// callers that have idle time instead. It takes as long as a full link. An error
// means that the program written last is wrong: it is counted and reported, and
// the next link starts from nothing.
func (l *Incremental) Verify(ctx context.Context, key string) error {
	l.mu.Lock()
	s := l.states[key]
	l.mu.Unlock()
	if s == nil {
		return nil
	}
	select {
	case <-s.busy:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { s.busy <- struct{}{} }()
	if s.prog == nil {
		return nil
	}
	err := l.check(s)
	if err != nil {
		s.discard()
	}
	return err
}
