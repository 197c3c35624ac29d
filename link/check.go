package link

// check verifies the program of s and discards it if it is wrong.
func (l *Incremental) check(s *state) error {
	problem := s.prog.Verify()
	l.mu.Lock()
	l.stats.checks++
	if problem != nil {
		l.stats.mismatches++
	}
	l.mu.Unlock()
	if problem != nil {
		return refuse("check failed: %v", problem)
	}
	return nil
}
