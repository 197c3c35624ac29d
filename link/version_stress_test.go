//go:build stress

package link_test

import (
	"testing"
)

// TestVersions takes the edit sequence with every toolchain that is at hand.
func TestVersions(t *testing.T) {
	for _, version := range []string{"go1.24.11", "go1.25.5", "go1.27.0"} {
		t.Run(version, func(t *testing.T) {
			files := map[string]string{}
			for name, text := range sequenceApp {
				files[name] = text
			}
			s := newSession(t, files)
			s.m.Env = append(s.m.Env, "GOTOOLCHAIN="+version)
			if _, err := s.m.Go("version"); err != nil {
				t.Skipf("toolchain %s is not at hand", version)
			}
			s.link()
			for _, step := range sequence {
				applyStep(t, s, files, step.edits)
				s.link()
			}
		})
	}
}
