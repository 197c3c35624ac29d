package main

import (
	"fmt"
	"slices"
	"strings"
)

// table is the report in Markdown: the figures to reach, then every median.
func (r *results) table() string {
	var b strings.Builder
	b.WriteString("# Benchmarks\n\n")
	b.WriteString(r.about())
	for _, section := range []string{sectionEdit, sectionOwn, sectionLink, sectionStart, sectionQuiet, sectionLoad, sectionWatch, sectionIdle} {
		r.targetTable(&b, section)
	}
	for _, k := range []struct {
		kind  kind
		title string
	}{
		{editCase, "All saves: medians to the first response that shows the edit; of the compiler alone, to its exit"},
		{startCase, "All starts: medians to the first response"},
		{quietCase, "Saves that change nothing: hr's line, or the rival's restart"},
		{errorCase, "Syntax errors: medians to the line that shows it"},
	} {
		r.medianTable(&b, k.kind, k.title, unitTime)
	}
	r.loadTable(&b)
	r.medianTable(&b, linkCase, "The linkers alone: a whole link with all that it loads, and relinks", unitTime)
	r.medianTable(&b, linkCase, "The same: archives that differ from the link before", unitPackages)
	r.medianTable(&b, watchCase, "hr reflex and reflex: save to command, checkout's end to command, start on 20,000 files", unitTime)
	r.medianTable(&b, watchCase, "The same: runs of the command for one checkout of 5,000 files", unitRuns)
	r.medianTable(&b, watchCase, "The same: processor time of the idle watcher on 20,000 files", unitIdle)
	r.medianTable(&b, memory, "Memory of hrd, resident: in the open session, and 15 s after it", unitBytes)
	r.medianTable(&b, editCase, "The link alone, as hr tells it", unitLink)
	r.medianTable(&b, editCase, "Connections refused, from the save to the new response", unitRefused)
	return b.String()
}

// about says what the figures hold for.
func (r *results) about() string {
	var parts, notes []string
	for _, f := range r.facts {
		switch f.name {
		case "pkg":
		case noteFact:
			notes = append(notes, "- "+f.value+"\n")
		default:
			parts = append(parts, f.name+" "+f.value)
		}
	}
	text := strings.Join(parts, "; ") + ".\n\n"
	text += "Medians of one run in which the tools take turns; `go build` with the user's own flags, stripped with `-ldflags='-s -w' -buildvcs=false`. " +
		"The requests are made every half millisecond, each on a new connection. " +
		"The compiler alone is the process that `go build` starts for the edited package, with the same command line and environment, started by the benchmark after a save while the program runs and is asked; hr lets the same compiler go without its garbage collector, so the compile that hr reports can be shorter. `bench.txt` has every sample.\n\n"
	if len(notes) > 0 {
		text += "What went wrong, and is not in the medians:\n\n" + strings.Join(notes, "") + "\n"
	}
	return text
}

func (r *results) targetTable(b *strings.Builder, section string) {
	var rows [][]string
	for _, t := range targets() {
		if t.section != section {
			continue
		}
		v := r.judge(t)
		unit := t.value.unit
		if unit == "" {
			unit = unitTime
		}
		row := []string{t.what, "not measured", "", "", limit(t, unit), ""}
		if v.known {
			row[1], row[5] = show(unit, v.got), "**no**"
			if v.reached {
				row[5] = "yes"
			}
			if t.against.tool != "" {
				row[2] = show(unit, v.base)
				if v.base > 0 {
					row[3] = ratio(v.got / v.base)
				}
			}
		}
		rows = append(rows, row)
	}
	fmt.Fprintf(b, "## %s\n\n", section)
	writeRows(b, []string{"figure", "hr", "against", "ratio", "to reach", "reached"}, rows)
}

// ratio has as many digits as the figures to reach need.
func ratio(x float64) string {
	if x < 0.1 {
		return fmt.Sprintf("%.3f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

// limit is the right side of a target in words.
func limit(t target, unit string) string {
	switch {
	case t.against.tool == "" && t.plus == 0:
		return "none"
	case t.against.tool == "":
		return "≤ " + show(unit, t.plus)
	case t.plus > 0:
		return "≤ that + " + show(unit, t.plus)
	}
	return fmt.Sprintf("≤ %.2f", t.ratio)
}

// toolOrder is the order of columns and bars.
var toolOrder = []string{"hr", "hr-go-linker", "hr-plain", "go-link", "compile-alone", "exec", "go-run", "go-build", "go-build-stripped", "reflex", "air-tuned", "air-interrupt", "air"}

// medianTable shows a unit of all cases of a kind, a column a tool.
func (r *results) medianTable(b *strings.Builder, k kind, title, unit string) {
	var tools []string
	for _, tool := range toolOrder {
		has := func(s sample) bool {
			_, ok := s.values[unit]
			return ok && s.kind == k && s.tool == tool
		}
		if slices.ContainsFunc(r.samples, has) {
			tools = append(tools, tool)
		}
	}
	var rows [][]string
	for _, c := range r.cases(k) {
		row := []string{c.program, c.name}
		for _, tool := range tools {
			cell := ""
			if m, ok := r.median(key{kind: k, program: c.program, name: c.name, tool: tool, unit: unit}); ok {
				cell = show(unit, m)
			}
			row = append(row, cell)
		}
		if strings.Join(row[2:], "") != "" {
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		return
	}
	head := []string{"program", "case"}
	for _, tool := range tools {
		head = append(head, label(tool))
	}
	fmt.Fprintf(b, "## %s\n\n", title)
	writeRows(b, head, rows)
}

// cases lists the cases of a kind in the order they were measured.
func (r *results) cases(k kind) []key {
	var out []key
	for _, s := range r.samples {
		c := key{kind: k, program: s.program, name: s.name}
		if s.kind == k && !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

func writeRows(b *strings.Builder, head []string, rows [][]string) {
	line := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(head)
	rule := make([]string, len(head))
	for i := range rule {
		rule[i] = "---"
	}
	line(rule)
	for _, row := range rows {
		line(row)
	}
	b.WriteByte('\n')
}
