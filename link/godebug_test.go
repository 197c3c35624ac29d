package link_test

import (
	"context"
	"maps"
	"path/filepath"
	"strings"
	"testing"
)

// TestRuntimeChecks runs a program that was linked in steps under the runtime's
// own checks: of the collector, which trusts the pointer masks, and of the FIPS
// module, which sums its own code.
func TestRuntimeChecks(t *testing.T) {
	s := newSession(t, sequenceApp)
	files := maps.Clone(sequenceApp)
	for i, step := range sequence {
		applyStep(t, s, files, step.edits)
		if i%6 == 0 {
			s.link()
		}
	}
	applyStep(t, s, files, []edit{
		{"main.go", "\"crypto/sha256\"\n", "\"crypto/sha256\"\n\t\"crypto/fips140\"\n"},
		{"main.go", "frames()\n\trec", "frames()\n\tdefer fmt.Println(\"fips\", fips140.Enabled())\n\trec"},
	})
	s.link()
	r := s.m.Request(t, ".")
	r.Out = filepath.Join(s.dir, "checked")
	if _, err := s.inc.Link(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	plain := run(t, r.Out)
	for _, debug := range []string{
		"gccheckmark=1", "gcstoptheworld=2", "clobberfree=1", "checkfinalizers=1",
		"fips140=on", "fips140=debug", "efence=1",
	} {
		t.Run(debug, func(t *testing.T) {
			t.Setenv("GODEBUG", debug)
			want := plain
			if strings.HasPrefix(debug, "fips140") {
				want = strings.Replace(plain, "fips false", "fips true", 1)
			}
			got := run(t, r.Out)
			if debug == "fips140=debug" || debug == "checkfinalizers=1" {
				// These print what they find.
				if !strings.HasSuffix(got, "exit 0") {
					t.Errorf("program said\n%s", got)
				}
				return
			}
			if got != want {
				t.Errorf("program said\n%s\nwithout\n%s", got, want)
			}
		})
	}
}
