package main

import (
	"fmt"
	"html"
	"strings"
)

// panel is one group of bars with a scale of its own, from zero: the lengths of
// bars within a panel are true to each other.
type panel struct {
	title string
	unit  string
	bars  []bar
}

type bar struct {
	tool  string
	value float64
}

// The chart's measures, in pixels of a drawing that scales as a whole.
const (
	chartWidth = 760
	margin     = 20
	labelWidth = 150 // the longest tool label at the font size
	valueWidth = 80  // room for the value behind the longest bar
	barHeight  = 16
	barGap     = 5
	titleGap   = 24 // from a panel's title to its first bar
	panelGap   = 22
	headHeight = 42 // without notes
	noteHeight = 16
)

// chart draws the time from a save to the first new response.
func (r *results) chart() string {
	return draw("From a save to the first response that shows it", r.panels(),
		"Medians; shorter is better. Each panel has a scale of its own, from zero. "+r.where())
}

// draw makes an SVG of panels, with notes below its head. It has colours for a
// light and for a dark surface of its own, so it can be read on any page.
func draw(head string, panels []panel, notes ...string) string {
	top := headHeight + noteHeight*len(notes)
	height := top
	for _, p := range panels {
		height += titleGap + len(p.bars)*(barHeight+barGap) + panelGap
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`+"\n",
		chartWidth, height, chartWidth, height, html.EscapeString(head))
	b.WriteString(chartStyle)
	fmt.Fprintf(&b, `<rect class="card" x="0.5" y="0.5" width="%d" height="%d" rx="8"/>`+"\n", chartWidth-1, height-1)
	text(&b, "head", margin, 28, head)
	for i, note := range notes {
		text(&b, "note", margin, 46+i*noteHeight, note)
	}
	for _, p := range panels {
		top = p.draw(&b, top) + panelGap
	}
	b.WriteString("</svg>\n")
	return b.String()
}

const chartStyle = `<style>
text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #24292f }
.card { fill: #ffffff; stroke: #d0d7de }
.head { font-size: 16px; font-weight: 600 }
.note { font-size: 11px; fill: #57606a }
.title { font-weight: 600 }
.hr { fill: #0a7f42 }
.rival { fill: #8c959f }
.value { font-variant-numeric: tabular-nums }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.card { fill: #0d1117; stroke: #30363d }
.note { fill: #9198a1 }
.hr { fill: #3fb950 }
.rival { fill: #6e7681 }
}
</style>
`

// draw adds a panel at y and returns where it ends.
func (p panel) draw(b *strings.Builder, y int) int {
	text(b, "title", margin, y+12, p.title)
	y += titleGap
	longest := 0.0
	for _, x := range p.bars {
		longest = max(longest, x.value)
	}
	room := float64(chartWidth - 2*margin - labelWidth - valueWidth)
	for _, x := range p.bars {
		class := "rival"
		if strings.HasPrefix(x.tool, "hr") {
			class = "hr"
		}
		// A pixel at least: a bar that cannot be seen looks like nothing measured.
		width := 1.0
		if longest > 0 {
			width = max(1, room*x.value/longest)
		}
		text(b, "", margin, y+12, label(x.tool))
		fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>`+"\n", class, margin+labelWidth, y, width, barHeight)
		fmt.Fprintf(b, `<text class="value" x="%.1f" y="%d">%s</text>`+"\n", float64(margin+labelWidth)+width+6, y+12, show(p.unit, x.value))
		y += barHeight + barGap
	}
	return y
}

func text(b *strings.Builder, class string, x, y int, s string) {
	fmt.Fprintf(b, `<text class="%s" x="%d" y="%d">%s</text>`+"\n", class, x, y, html.EscapeString(s))
}

// panels takes the body edits of all programs out of the results.
func (r *results) panels() []panel {
	var out []panel
	for _, c := range []struct{ program, name, title string }{
		{"ginsvc", "leaf-body", "gin service, 300 packages: a function body in a leaf package"},
		{"hello", "leaf-body", "net/http hello: a function body in a leaf package"},
		{"wide", "leaf-body", "generated module: a function body in a leaf imported by 200 packages"},
		{"caddy", "body", "caddy: a function body in modules/caddyhttp"},
	} {
		p := panel{title: c.title, unit: unitTime}
		for _, tool := range toolOrder {
			if tool == (compileAlone{}).name() {
				continue // it answers nothing
			}
			if m, ok := r.median(key{kind: editCase, program: c.program, name: c.name, tool: tool}); ok {
				p.bars = append(p.bars, bar{tool, m})
			}
		}
		if len(p.bars) > 0 {
			out = append(out, p)
		}
	}
	return out
}

// where is the machine in a few words.
func (r *results) where() string {
	var parts []string
	for _, f := range r.facts {
		switch f.name {
		case "go", "commit":
			parts = append(parts, strings.TrimSuffix(f.name+" "+f.value, "-dirty"))
		case "cores":
			parts = append(parts, f.value+" cores")
		}
	}
	return strings.ReplaceAll(strings.Join(parts, ", "), "go go", "go")
}
