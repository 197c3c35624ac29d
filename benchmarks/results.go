package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Units of what is measured, as they stand in the benchmark text.
const (
	unitTime        = "ns/op"
	unitRefused     = "refused/op"  // connections, from the save to the new response
	unitDropped     = "dropped/op"  // connections that ended without a response
	unitTools       = "tools/op"    // 1 if hr or hrd ran any tool
	unitRestarts    = "restarts/op" // 1 if the program was started anew
	unitRequests    = "requests/op" // connections made while a restart lasted
	unitLongest     = "longest-ns/op"
	unitPackages    = "packages/op" // archives that a relink replaced
	unitRuns        = "runs/op"     // of a command, for one checkout
	unitLost        = "lost/op"     // changed files that no run was told of
	unitIdle        = "cpu-ns/s"    // processor time a second
	unitCompile     = "compile-ns/op"
	unitLink        = "link-ns/op"
	unitRest        = "rest-ns/op" // unitTime less unitCompile of one sample; not in the benchmark text
	unitBytes       = "rss-bytes"
	unitKernelBytes = "kernel-rss-bytes"
	unitLinkerBytes = "linker-bytes"
)

// sample is one measurement.
type sample struct {
	kind    kind
	program string
	name    string // of the case
	tool    string
	values  values
}

func (s sample) String() string {
	return fmt.Sprintf("%s %s %s %s: %s", s.kind, s.program, s.name, s.tool, show(unitTime, s.values[unitTime]))
}

// results are all samples of a run and the machine that they hold for.
type results struct {
	facts   []fact
	procs   int // GOMAXPROCS, the suffix of benchmark names
	samples []sample
	cut     bool // the time was used up before the plan was
}

// fact is one line of what identifies a run.
type fact struct{ name, value string }

func newResults(facts []fact, procs int) *results { return &results{facts: facts, procs: procs} }

// note keeps something that went wrong; a fact named note, so that the benchmark
// text holds it.
func (r *results) note(format string, args ...any) {
	r.facts = append(r.facts, fact{noteFact, fmt.Sprintf(format, args...)})
}

const noteFact = "note"

func (r *results) add(s sample) { r.samples = append(r.samples, s) }

// key names what is compared: a unit of a case of a tool.
type key struct {
	kind                kind
	program, name, tool string
	unit                string
}

// of returns the values for a key, in the order they were measured.
func (r *results) of(k key) []float64 {
	if k.unit == "" {
		k.unit = unitTime
	}
	var out []float64
	for _, s := range r.samples {
		if s.kind == k.kind && s.program == k.program && s.name == k.name && s.tool == k.tool {
			if v, ok := s.values.of(k.unit); ok {
				out = append(out, v)
			}
		}
	}
	return out
}

// edited tells whether a tool has shown an edit of a program.
func (r *results) edited(program, tool string) bool {
	return slices.ContainsFunc(r.samples, func(s sample) bool {
		return s.kind == editCase && s.program == program && s.tool == tool
	})
}

func (r *results) median(k key) (float64, bool) {
	v := r.of(k)
	return median(v), len(v) > 0
}

// median of a list; 0 of an empty one.
func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Sorted(slices.Values(v))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// line shows the medians of a case while the benchmark runs.
func (r *results) line(program string, j job) string {
	var parts []string
	for _, tool := range strings.Fields(j.tools) {
		if m, ok := r.median(key{kind: j.kind, program: program, name: j.name, tool: tool}); ok {
			parts = append(parts, tool+" "+show(unitTime, m))
		}
	}
	return strings.Join(parts, ", ")
}

// show prints a value of a unit as people read it.
func show(unit string, v float64) string {
	switch unit {
	case unitTime, unitCompile, unitLink, unitRest, unitLongest:
		switch d := time.Duration(v); {
		case d < 10*time.Millisecond:
			return fmt.Sprintf("%.1f ms", v/1e6)
		case d < 10*time.Second:
			return fmt.Sprintf("%.0f ms", v/1e6)
		}
		return fmt.Sprintf("%.1f s", v/1e9)
	case unitIdle:
		return fmt.Sprintf("%.0f µs/s", v/1e3)
	case unitBytes, unitKernelBytes, unitLinkerBytes:
		return fmt.Sprintf("%.1f MB", v/1e6)
	}
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// write makes the files of a result. Each replaces the one before whole.
func (r *results) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, f := range []struct{ name, text string }{
		{"bench.txt", r.bench()},
		{"table.md", r.table()},
		{"bench.svg", r.chart()},
		{"load.svg", r.loadChart()},
	} {
		tmp := filepath.Join(dir, "."+f.name)
		if err := os.WriteFile(tmp, []byte(f.text), 0o644); err != nil {
			return err
		}
		if err := os.Rename(tmp, filepath.Join(dir, f.name)); err != nil {
			return err
		}
	}
	return nil
}
