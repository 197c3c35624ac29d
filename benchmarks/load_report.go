package main

import (
	"fmt"
	"strings"
)

// underLoad is what all restarts of a tool under load met together.
type underLoad struct {
	restarts, requests, refused, dropped int
	longest                              float64 // ns; of a connection that was answered
	median                               float64 // ns; from the save to the first new answer
}

func (r *results) underLoad(program, tool string) underLoad {
	k := key{kind: loadCase, program: program, name: "load", tool: tool}
	sum := func(unit string) int {
		k.unit = unit
		n := 0.0
		for _, v := range r.of(k) {
			n += v
		}
		return int(n)
	}
	u := underLoad{restarts: len(r.of(k)), requests: sum(unitRequests), refused: sum(unitRefused), dropped: sum(unitDropped)}
	k.unit = unitTime
	u.median, _ = r.median(k)
	k.unit = unitLongest
	for _, v := range r.of(k) {
		u.longest = max(u.longest, v)
	}
	return u
}

// lost is how many connections a restart costs.
func (u underLoad) lost() float64 { return float64(u.refused+u.dropped) / float64(max(1, u.restarts)) }

func (u underLoad) String() string {
	return fmt.Sprintf("%d restarts, %d connections, %d refused, %d failed, longest %s", u.restarts, u.requests, u.refused, u.dropped, show(unitTime, u.longest))
}

// loadTools are the tools that restarted the example service under load.
func (r *results) loadTools() []string {
	var out []string
	for _, tool := range toolOrder {
		if r.underLoad("ginsvc", tool).restarts > 0 {
			out = append(out, tool)
		}
	}
	return out
}

// loadTable shows what clients met, a row a tool.
func (r *results) loadTable(b *strings.Builder) {
	var rows [][]string
	for _, tool := range r.loadTools() {
		u := r.underLoad("ginsvc", tool)
		rows = append(rows, []string{
			label(tool), fmt.Sprint(u.restarts), fmt.Sprint(u.requests), fmt.Sprint(u.refused), fmt.Sprint(u.dropped),
			show("", u.lost()), show(unitTime, u.longest), show(unitTime, u.median),
		})
	}
	if len(rows) == 0 {
		return
	}
	b.WriteString("## The example service restarted by saves, under 200 new connections a second\n\n")
	b.WriteString("Failed: ended without a whole answer. The longest wait is that of connections that were answered.\n\n")
	writeRows(b, []string{"tool", "restarts", "connections", "refused", "failed", "lost per restart", "longest wait", "save to new answer"}, rows)
}

// loadChart draws what a restart costs the clients, and how long they waited.
func (r *results) loadChart() string {
	lost := panel{title: "Connections refused or cut off, per restart", unit: unitRefused}
	wait := panel{title: "Longest wait of a connection that was answered", unit: unitLongest}
	var counts []string
	for _, tool := range r.loadTools() {
		u := r.underLoad("ginsvc", tool)
		lost.bars = append(lost.bars, bar{tool, u.lost()})
		wait.bars = append(wait.bars, bar{tool, u.longest})
		counts = append(counts, fmt.Sprintf("%s %d", label(tool), u.restarts))
	}
	return draw("A gin service restarted under 200 new connections a second", []panel{lost, wait},
		"Restarts by saves: "+strings.Join(counts, ", ")+".", "Shorter is better. "+r.where())
}
