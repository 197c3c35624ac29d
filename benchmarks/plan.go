package main

import (
	"slices"
	"strings"
)

// kind says what a case times.
type kind string

const (
	startCase kind = "Start"  // from the command to the first response
	editCase  kind = "Edit"   // from the save to the first response that shows it
	quietCase kind = "Quiet"  // from the save to the line that says why nothing is done
	errorCase kind = "Error"  // from the save to the line that shows the syntax error
	memory    kind = "Memory" // of hrd, in an open session and after it
	loadCase  kind = "Load"   // from the save to the first response, and what clients met
	linkCase  kind = "Link"   // of a link, by the test of package link
	watchCase kind = "Watch"  // of hr reflex, by the test of package reflex
)

// job is one case of a program: which tools take it, and how often.
type job struct {
	kind   kind
	name   string
	tools  string // separated by spaces; within a round they take turns
	count  int    // rounds
	rivals int    // rounds that rivals take part in
	// fresh brings the source to a known state before each sample, for edits
	// that cannot follow on themselves.
	fresh bool
	short bool // part of a short run
}

const (
	starters = "exec hr go-run go-build"
	editors  = "hr hr-go-linker go-build go-build-stripped reflex air-tuned air"
	savers   = "hr go-build reflex air-tuned air"
	watchers = "hr reflex air-tuned air"
	loaded   = "hr hr-plain go-build reflex air-interrupt air"
)

// plan is the whole benchmark but for figureTests. The counts keep it under a
// quarter of an hour on two cores: of hr nine where a figure has to be reached,
// fewer of rivals, whose times are seconds and vary little.
func plan() map[string][]job {
	return map[string][]job{
		"ginsvc": {
			{kind: startCase, name: "unchanged", tools: starters, count: 9, rivals: 9, short: true},
			{kind: startCase, name: "cold-hrd", tools: "hr", count: 9},
			{kind: startCase, name: "after-edit", tools: "hr go-run go-build", count: 5, rivals: 5},
			{kind: editCase, name: "leaf-body", tools: editors, count: 9, rivals: 5, short: true},
			{kind: loadCase, name: "load", tools: loaded, count: 50, rivals: 10, short: true},
			{kind: editCase, name: "api", tools: savers, count: 5, rivals: 3},
			{kind: editCase, name: "main", tools: savers, count: 5, rivals: 3},
			{kind: editCase, name: "new-file", tools: savers, count: 5, rivals: 2},
			{kind: editCase, name: "new-import", tools: savers, count: 5, rivals: 2, fresh: true},
			{kind: editCase, name: "new-package", tools: "hr go-build", count: 5, rivals: 2, fresh: true},
			{kind: quietCase, name: "comment", tools: watchers, count: 9, rivals: 3, short: true},
			{kind: quietCase, name: "test-file", tools: "hr reflex", count: 9, rivals: 3},
			{kind: quietCase, name: "excluded", tools: watchers, count: 9, rivals: 3, short: true},
			{kind: errorCase, name: "syntax-error", tools: savers, count: 9, rivals: 2, fresh: true, short: true},
			{kind: memory, name: "memory", tools: "hr hr-go-linker", short: true},
		},
		"hello": {
			{kind: startCase, name: "unchanged", tools: starters, count: 5, rivals: 3},
			{kind: editCase, name: "leaf-body", tools: savers, count: 5, rivals: 3},
		},
		"wide": {
			{kind: startCase, name: "unchanged", tools: starters, count: 5, rivals: 5},
			{kind: editCase, name: "leaf-body", tools: savers, count: 9, rivals: 3},
		},
		"caddy": {
			{kind: startCase, name: "unchanged", tools: "exec hr go-run", count: 5, rivals: 3},
			{kind: editCase, name: "body", tools: "hr hr-go-linker compile-alone go-build", count: 5, rivals: 3},
			{kind: memory, name: "memory", tools: "hr hr-go-linker"},
		},
	}
}

// chosen cuts the plan down to what the options ask for.
func chosen(o options, program string, jobs []job) []job {
	var out []job
	for _, j := range jobs {
		if !wanted(o, program, j.name) {
			continue
		}
		if o.short {
			if !j.short {
				continue
			}
			j.count, j.rivals = min(j.count, 3), min(j.rivals, 1)
			if j.kind == editCase {
				j.rivals = j.count // these are what is compared
			}
		}
		if o.count > 0 {
			j.count, j.rivals = o.count, min(j.rivals, o.count)
		}
		out = append(out, j)
	}
	return out
}

func wanted(o options, program, name string) bool {
	if len(o.only) == 0 {
		return !o.short || program == "ginsvc"
	}
	for _, word := range o.only {
		p, c, cut := strings.Cut(word, "/")
		if p == program && (!cut || c == name) {
			return true
		}
	}
	return false
}

// known tells whether a word of -only names anything.
func known(word string) bool {
	program, name, cut := strings.Cut(word, "/")
	return slices.ContainsFunc(plan()[program], func(j job) bool { return !cut || j.name == name }) ||
		!cut && slices.ContainsFunc(figureTests, func(t figureTest) bool { return t.name == program })
}
