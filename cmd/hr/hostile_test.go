package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/protocol"
)

// hostile names a file or directory: it sets a title, turns the text and forges
// a line and a column.
const hostile = "m\x1b]0;t\x07\u202e\u009b\nhr: fake\tx"

const shown = `m\x1b]0;t\x07\u202e\u009b\nhr: fake\tx`

// TestHostileNames prints what another hr says of itself.
func TestHostileNames(t *testing.T) {
	for name, print := range map[string]func(w *bytes.Buffer){
		"ps": func(w *bytes.Buffer) {
			printPs(w, []psLine{{Dir: "/" + hostile, Package: []string{"./" + hostile}, State: hostile}})
		},
		"why": func(w *bytes.Buffer) {
			printReport(w, &reportData{
				Dir: "/" + hostile, Flags: []string{"-tags=" + hostile}, Package: []string{hostile}, Ended: hostile,
				Changes: []decision{{Path: "/x/" + hostile, Verdict: hostile, Why: hostile, Package: hostile}},
				Start:   &event.Failed{Why: hostile, Output: []string{"panic: \x1b[2J"}},
				Outcome: &order.Outcome{Fallback: hostile, Refused: hostile, Packages: []order.PackageResult{{Path: hostile, Why: hostile}}},
			})
		},
		"why, a failed build": func(w *bytes.Buffer) {
			printReport(w, &reportData{Failure: &protocol.Failure{Cause: &protocol.Error{Message: "# p\na.go:1: \x1b[2J\n\tmore"}}, Dir: hostile})
		},
		"init": func(w *bytes.Buffer) {
			cv := conversion{Source: hostile, Command: []string{"hr", hostile}, Config: "-- " + strings.ReplaceAll(hostile, "\n", ""), Written: hostile, Notes: []note{{hostile, hostile}}}
			cv.print(w)
		},
	} {
		var w bytes.Buffer
		print(&w)
		text := w.String()
		if !strings.Contains(text, shown) {
			t.Errorf("%s: %q does not show the name", name, text)
		}
		if strings.ContainsAny(text, "\x1b\x07\u202e\u009b\r") || strings.Contains(text, "\nhr: fake") {
			t.Errorf("%s: %q would reach the terminal", name, text)
		}
	}
}
