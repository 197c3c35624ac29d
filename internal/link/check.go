package link

import (
	"fmt"
	"os"
	"path/filepath"
)

// check verifies the program of s. A mismatch is counted, described in a file
// that can be attached to a report, and ends the link as a refusal, which
// discards the program.
func (l *Incremental) check(s *state) error {
	problem := s.prog.Verify()
	if problem == nil {
		problem = s.prog.VerifyFresh()
	}
	l.mu.Lock()
	l.stats.checks++
	if problem != nil {
		l.stats.mismatches++
	}
	l.mu.Unlock()
	if problem == nil {
		return nil
	}
	report := ""
	if l.opt.Reports != "" {
		report = l.report(s, problem)
	}
	return refuse("check failed: %v%s", problem, report)
}

func (l *Incremental) report(s *state, problem error) string {
	f, err := os.CreateTemp(l.opt.Reports, "link-mismatch-*.txt")
	if err != nil {
		return ""
	}
	defer f.Close()
	fmt.Fprintf(f, "%v\n\n", problem)
	s.prog.Describe(f)
	return " (see " + filepath.Clean(f.Name()) + ")"
}
