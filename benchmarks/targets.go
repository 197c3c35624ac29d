package main

import "time"

// target is a figure to reach: value ≤ ratio × against + plus, in the unit of
// the value, both medians of one run.
type target struct {
	section string
	what    string
	value   key
	against key // its tool is "" if the figure stands alone
	ratio   float64
	plus    float64
	// worst takes the largest sample in place of the median: for what must not
	// happen even once.
	worst bool
}

// verdict is a target judged.
type verdict struct {
	target
	known          bool // both sides were measured
	got, base, may float64
	reached        bool
}

const (
	sectionEdit  = "From a save to the first response that shows it"
	sectionOwn   = "The same, with the incremental linker"
	sectionLink  = "The linkers alone, against go tool link -s -w"
	sectionStart = "From the command to the first response"
	sectionQuiet = "Saves that change nothing, and broken ones"
	sectionLoad  = "The example service restarted 50 times by saves, under 200 new connections a second"
	sectionWatch = "hr reflex"
	sectionIdle  = "Memory"
)

// targets are the figures to reach, in the order of the report. A section of
// its own (a linker's, say) is a few more lines here.
func targets() []target {
	edit := func(program, name, tool string) key {
		return key{kind: editCase, program: program, name: name, tool: tool}
	}
	start := func(name, tool string) key { return key{kind: startCase, program: "ginsvc", name: name, tool: tool} }
	quiet := func(name, unit string) key {
		return key{kind: quietCase, program: "ginsvc", name: name, tool: "hr", unit: unit}
	}
	leaf := func(section, tool string, ratio float64) target {
		return target{section: section, what: "ginsvc, body of a leaf, against " + label(tool),
			value: edit("ginsvc", "leaf-body", "hr"), against: edit("ginsvc", "leaf-body", tool), ratio: ratio}
	}
	link := func(program, name string, ratio float64) target {
		t := target{section: sectionOwn, what: program + ", link, against the toolchain's stripped link", ratio: ratio,
			value: edit(program, name, "hr"), against: edit(program, name, "hr-go-linker")}
		t.value.unit, t.against.unit = unitLink, unitLink
		return t
	}
	rest := edit("caddy", "body", "hr")
	rest.unit = unitRest
	list := []target{
		leaf(sectionEdit, "air", 0.20), leaf(sectionEdit, "air-tuned", 0.48),
		leaf(sectionEdit, "reflex", 0.36), leaf(sectionEdit, "go-build", 0.55),
		{section: sectionEdit, what: "a leaf imported by 200 packages, body, against " + label("go-build"),
			value: edit("wide", "leaf-body", "hr"), against: edit("wide", "leaf-body", "go-build"), ratio: 0.15},
		{section: sectionEdit, what: "caddy, body in modules/caddyhttp, against " + label("go-build"),
			value: edit("caddy", "body", "hr"), against: edit("caddy", "body", "go-build"), ratio: 0.40},
		leaf(sectionOwn, "air", 0.03), leaf(sectionOwn, "air-tuned", 0.07),
		leaf(sectionOwn, "reflex", 0.05), leaf(sectionOwn, "go-build", 0.08),
		{section: sectionOwn, what: "caddy, body in modules/caddyhttp, against " + label("compile-alone") + " on that package",
			value: edit("caddy", "body", "hr"), against: edit("caddy", "body", "compile-alone"), ratio: 1, plus: float64(80 * time.Millisecond)},
		{section: sectionOwn, what: "caddy, body in modules/caddyhttp, less the compile that hr itself reports for the same save",
			value: rest, plus: float64(80 * time.Millisecond)},
		link("ginsvc", "leaf-body", 0.01), link("caddy", "body", 0.03),
		{section: sectionStart, what: "ginsvc unchanged, against exec of the binary",
			value: start("unchanged", "hr"), against: start("unchanged", "exec"), ratio: 1, plus: float64(15 * time.Millisecond)},
		{section: sectionStart, what: "ginsvc unchanged, against go run",
			value: start("unchanged", "hr"), against: start("unchanged", "go-run"), ratio: 0.30},
	}
	for _, c := range []struct{ name, what string }{
		{"comment", "comment only"}, {"test-file", "_test.go file"}, {"excluded", "file excluded by tags"},
	} {
		list = append(list,
			target{section: sectionQuiet, what: c.what + ": save to the line", value: quiet(c.name, ""), plus: float64(10 * time.Millisecond)},
			target{section: sectionQuiet, what: c.what + ": tools run", value: quiet(c.name, unitTools), worst: true},
			target{section: sectionQuiet, what: c.what + ": restarts", value: quiet(c.name, unitRestarts), worst: true},
		)
	}
	list = append(list, linkTargets()...)
	list = append(list, loadTargets()...)
	list = append(list, watchTargets()...)
	return append(list,
		target{section: sectionQuiet, what: "syntax error: save to the line", plus: float64(10 * time.Millisecond),
			value: key{kind: errorCase, program: "ginsvc", name: "syntax-error", tool: "hr"}},
		target{section: sectionQuiet, what: "syntax error: restarts", worst: true,
			value: key{kind: errorCase, program: "ginsvc", name: "syntax-error", tool: "hr", unit: unitRestarts}},
		target{section: sectionIdle, what: "memory of hrd after the ginsvc session", plus: 60e6,
			value: key{kind: memory, program: "ginsvc", name: "idle", tool: "hr", unit: unitBytes}},
		target{section: sectionIdle, what: "of the incremental linker in the ginsvc session", plus: 80e6,
			value: key{kind: memory, program: "ginsvc", name: "session", tool: "hr", unit: unitLinkerBytes}},
		target{section: sectionIdle, what: "of the incremental linker in the caddy session", plus: 250e6,
			value: key{kind: memory, program: "caddy", name: "session", tool: "hr", unit: unitLinkerBytes}},
	)
}

// linkTargets compare the linkers as the test of package link measures them.
func linkTargets() []target {
	var list []target
	for _, cgo := range []string{"0", "1"} {
		for _, c := range []struct {
			program, name, what string
			ratio               float64
		}{
			{"ginsvc", "body", "a relink after a body edit", 0.01},
			{"caddy", "body", "a relink after a body edit in modules/caddyhttp", 0.03},
			{"caddy", "exports", "a relink with 27 packages replaced", 0.10},
			{"ginsvc", "whole", "the first link, load included", 0.6},
			{"caddy", "whole", "the first link, load included", 0.6},
		} {
			link := func(name, tool string) key {
				return key{kind: linkCase, program: c.program, name: name + "-cgo" + cgo, tool: tool}
			}
			list = append(list, target{section: sectionLink, what: c.program + ", CGO_ENABLED=" + cgo + ": " + c.what,
				value: link(c.name, "hr"), against: link("whole", "go-link"), ratio: c.ratio})
		}
	}
	return list
}

func loadTargets() []target {
	load := func(unit string) key {
		return key{kind: loadCase, program: "ginsvc", name: "load", tool: "hr", unit: unit}
	}
	return []target{
		{section: sectionLoad, what: "connections refused, of the worst restart", value: load(unitRefused), worst: true},
		{section: sectionLoad, what: "connections failed, of the worst restart", value: load(unitDropped), worst: true},
		{section: sectionLoad, what: "longest wait of all", value: load(unitLongest), worst: true, plus: float64(60 * time.Millisecond)},
	}
}

// idleGrain is what the kernel and the Go runtime do by themselves, 5 ms in the
// 20 s that are measured: below it there is nothing to compare.
const idleGrain = 250e3

// watchTargets compare hr reflex and reflex as the test of package reflex
// measures them.
func watchTargets() []target {
	watch := func(name, tool, unit string) key {
		return key{kind: watchCase, program: "reflex", name: name, tool: tool, unit: unit}
	}
	return []target{
		{section: sectionWatch, what: "from a save to the start of the command, against reflex",
			value: watch("save", "hr", ""), against: watch("save", "reflex", ""), ratio: 0.10},
		{section: sectionWatch, what: "a git checkout of 5,000 files: runs", value: watch("checkout", "hr", unitRuns), worst: true, plus: 1},
		{section: sectionWatch, what: "a git checkout of 5,000 files: changes lost", value: watch("checkout", "hr", unitLost), worst: true},
		{section: sectionWatch, what: "processor time of the idle watcher on 20,000 files, against reflex",
			value: watch("idle", "hr", unitIdle), against: watch("idle", "reflex", unitIdle), ratio: 1, plus: idleGrain},
	}
}

// judge compares a target with the results.
func (r *results) judge(t target) verdict {
	v := verdict{target: t}
	samples := r.of(t.value)
	v.known = len(samples) > 0
	v.got = median(samples)
	if t.worst {
		for _, s := range samples {
			v.got = max(v.got, s)
		}
	}
	if t.against.tool != "" {
		base, ok := r.median(t.against)
		v.base = base
		v.known = v.known && ok
	}
	v.may = t.ratio*v.base + t.plus
	v.reached = v.known && v.got <= v.may
	return v
}

// label is what readers call a tool.
func label(tool string) string {
	switch tool {
	case "hr", "exec", "reflex", "hrd":
		return tool
	case "go-run":
		return "go run"
	case "go-build":
		return "go build + exec"
	case "go-build-stripped":
		return "go build -s -w + exec"
	case "hr-go-linker":
		return "hr --linker=go"
	case "hr-plain":
		return "hr --handover=off"
	case "compile-alone":
		return "the compiler alone"
	case "go-link":
		return "go tool link -s -w"
	case "air":
		return "air (default)"
	case "air-tuned":
		return "air (delay 1 ms)"
	case "air-interrupt":
		return "air (send_interrupt)"
	}
	return tool
}
