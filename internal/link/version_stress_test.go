//go:build stress

package link_test

import (
	"maps"
	"os"
	"os/exec"
	"testing"
)

// otherVersions are a toolchain of each supported version but the one that this
// module is developed with.
var otherVersions = []string{"go1.24.11", "go1.25.5", "go1.27.0"}

// needToolchain skips the test if the go command can neither find nor fetch a
// toolchain.
func needToolchain(t *testing.T, version string) {
	t.Helper()
	cmd := exec.Command("go", "version")
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN="+version)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("toolchain %s is not at hand: %s", version, out)
	}
}

// TestVersions takes the edit sequence with every toolchain that is at hand.
func TestVersions(t *testing.T) {
	for _, version := range otherVersions {
		t.Run(version, func(t *testing.T) {
			needToolchain(t, version)
			s := newSession(t, sequenceApp)
			s.m.Env = append(s.m.Env, "GOTOOLCHAIN="+version)
			files := maps.Clone(sequenceApp)
			s.link()
			modes := map[string]int{s.mode: 1}
			for _, step := range sequence {
				applyStep(t, s, files, step.edits)
				s.link()
				modes[s.mode]++
			}
			t.Logf("%d steps, %v, 0 differences", len(sequence), modes)
		})
	}
}
