package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// bench is the run as Go benchmark text (golang.org/design/14313-benchmark-format):
// the facts as configuration lines, then a line a sample, so that benchstat sees
// the spread. Compare tools with benchstat -col /tool bench.txt.
func (r *results) bench() string {
	var b strings.Builder
	for _, f := range r.facts {
		fmt.Fprintf(&b, "%s: %s\n", f.name, f.value)
	}
	b.WriteByte('\n')
	for _, s := range r.samples {
		fmt.Fprintf(&b, "Benchmark%s/program=%s/case=%s/tool=%s-%d\t1", s.kind, s.program, s.name, s.tool, r.procs)
		for _, unit := range slices.SortedFunc(maps.Keys(s.values), timeFirst) {
			fmt.Fprintf(&b, "\t%s %s", strconv.FormatFloat(s.values[unit], 'f', -1, 64), unit)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// timeFirst orders units: the time, then the others by name.
func timeFirst(a, b string) int {
	if (a == unitTime) != (b == unitTime) {
		if a == unitTime {
			return -1
		}
		return 1
	}
	return strings.Compare(a, b)
}

// readBench is the inverse of bench.
func readBench(in io.Reader) (*results, error) {
	r := &results{}
	scan := bufio.NewScanner(in)
	for n := 1; scan.Scan(); n++ {
		text := strings.TrimSpace(scan.Text())
		if text == "" {
			continue
		}
		if !strings.HasPrefix(text, "Benchmark") {
			name, value, ok := strings.Cut(text, ":")
			if !ok {
				return nil, fmt.Errorf("line %d: %q is neither a fact nor a benchmark", n, text)
			}
			r.facts = append(r.facts, fact{name, strings.TrimSpace(value)})
			continue
		}
		s, procs, err := parseSample(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		r.procs = procs
		r.add(s)
	}
	return r, scan.Err()
}

// parseSample reads one benchmark line.
func parseSample(text string) (s sample, procs int, err error) {
	fields := strings.Fields(text)
	if len(fields) < 4 || len(fields)%2 != 0 {
		return s, 0, fmt.Errorf("%q is no benchmark line", text)
	}
	name := strings.TrimPrefix(fields[0], "Benchmark")
	cut := strings.LastIndexByte(name, '-')
	if cut < 0 {
		return s, 0, fmt.Errorf("%q has no number of processors", fields[0])
	}
	if procs, err = strconv.Atoi(name[cut+1:]); err != nil {
		return s, 0, fmt.Errorf("%q has no number of processors", fields[0])
	}
	parts := strings.Split(name[:cut], "/")
	s.kind = kind(parts[0])
	for _, p := range parts[1:] {
		switch k, v, _ := strings.Cut(p, "="); k {
		case "program":
			s.program = v
		case "case":
			s.name = v
		case "tool":
			s.tool = v
		default:
			return s, 0, fmt.Errorf("%q: unknown part %q", fields[0], p)
		}
	}
	s.values = values{}
	for i := 2; i < len(fields); i += 2 {
		v, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return s, 0, fmt.Errorf("%q is no number", fields[i])
		}
		s.values[fields[i+1]] = v
	}
	return s, procs, nil
}
