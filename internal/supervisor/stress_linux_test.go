//go:build stress

package supervisor

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	stressRestarts = flag.Int("restarts", 50, "restarts of each stress run")
	stressRate     = flag.Int("rate", 200, "new connections per second")
)

// TestStressRestarts prints the table of the README: the same load over many
// restarts, with and without hand-over.
func TestStressRestarts(t *testing.T) {
	for _, tt := range []struct {
		name    string
		program []string
		options Options
		clean   bool // nothing may be refused or fail
	}{
		{"hard exit, plain", []string{"serve", "ADDRESS"}, Options{Handover: "off"}, false},
		{"hard exit", []string{"serve", "ADDRESS"}, Options{}, true},
		{"hard exit, SIGKILL", []string{"serve", "ADDRESS"}, Options{StopSignal: os.Kill}, true},
		{"hard exit, 5 ms handler", []string{"serve", "ADDRESS", "5ms"}, Options{}, true},
		{"hard exit, overlap", []string{"serve", "ADDRESS"}, Options{Overlap: true}, true},
		{"graceful, plain", []string{"graceful", "ADDRESS", "5ms"}, Options{Handover: "off"}, false},
		{"graceful", []string{"graceful", "ADDRESS", "5ms"}, Options{}, true},
		{"graceful, SIGKILL", []string{"graceful", "ADDRESS", "5ms"}, Options{StopSignal: os.Kill}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			address := "127.0.0.1:" + freePort(t)
			args := slices.Clone(tt.program)
			for i := range args {
				args[i] = strings.Replace(args[i], "ADDRESS", address, 1)
			}
			s := newTest(t, tt.options)
			spec := testSpec(newOutput(t), args[0], args[1:]...)
			g := mustStart(t, s, spec)
			receive(t, "ready", g.Ready())
			load := startLoad(address, time.Second/time.Duration(*stressRate))
			restarts := restartMany(t, s, spec, *stressRestarts)
			line := load.end()
			t.Logf("%s; %s", line, restarts)
			if load.failed > 0 {
				t.Logf("of the failed %d by clients that were silent for more than %v", load.late(), silentMost)
			}
			if !tt.clean || load.refused == 0 && load.failed == load.late() {
				return
			}
			t.Error(line)
			shown := 0
			for _, f := range load.failures {
				if !f.lateClient() && shown < 10 {
					shown++
					t.Logf("%v; %s", f, restarts.around(f))
				}
			}
		})
	}
}

func restartMany(t *testing.T, s *Supervisor, spec Spec, times int) (all restarts) {
	t.Helper()
	for range times {
		r := restart{began: time.Now()}
		g, timing, err := s.Replace(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		if g.over() {
			t.Fatal(g.Exit())
		}
		r.Timing = timing
		all = append(all, r)
		idle(25 * time.Millisecond) // of use between two saves
	}
	return all
}

func (all restarts) String() string {
	line := fmt.Sprintf("%d restarts, medians:", len(all))
	for _, phase := range []struct {
		name string
		of   func(restart) time.Duration
	}{
		{"drain", func(r restart) time.Duration { return r.Drain }},
		{"stop", func(r restart) time.Duration { return r.Stop }},
		{"start", func(r restart) time.Duration { return r.Start }},
		{"ready", func(r restart) time.Duration { return r.Ready }},
		{"signal to exec", func(r restart) time.Duration { return r.Stop + r.Start }},
	} {
		var took []time.Duration
		for _, r := range all {
			took = append(took, phase.of(r))
		}
		slices.Sort(took)
		line += fmt.Sprintf(" %s %v (worst %v),", phase.name, took[len(took)/2].Round(10*time.Microsecond), took[len(took)-1].Round(10*time.Microsecond))
	}
	return strings.TrimSuffix(line, ",")
}
