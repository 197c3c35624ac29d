package main

import (
	"strings"
	"testing"

	"github.com/hotreflex/hr/astcheck"
	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/watch"
)

// TestCouldMend saves a file that the last good program has not.
func TestCouldMend(t *testing.T) {
	const failure = "# example.com/app/c\nc/c.go:3:2: table.def: No such file\n/src/o.json: bad overlay\n"
	for names, want := range map[string]bool{
		"a.go a.c a.cc a.cpp a.cxx a.m a.h a.hh a.hpp a.hxx a.f a.F a.for a.f90 a.s a.S a.sx a.swig a.swigcxx a.syso": true,
		"go.mod go.sum go.work go.work.sum vendor/modules.txt":                                                        true,
		"table.def o.json": true,
		"README.md a_test.go .a.go _a.c a.cs a.mm other.json a.go.swp": false,
	} {
		for name := range strings.FieldsSeq(names) {
			r := &runner{job: order.Job{Dir: "/work"}, blamed: map[string]bool{}, failing: true, failure: failure}
			path := "/src/new/" + name
			changes := []graph.Change{{Path: path, Verdict: astcheck.Unused}}
			if got := r.couldMend(watch.Batch{Paths: []string{path}}, changes); got != want {
				t.Errorf("%s could mend: %v, want %v", name, got, want)
			}
		}
	}
}
