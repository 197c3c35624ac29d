package event_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/hotreflex/hr/astcheck"
	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/protocol"
)

// every has a sample of each event with its line.
var every = []struct {
	event event.Event
	line  event.Line
}{
	{event.Start{Run: event.Run{Generation: 1, Total: 9400 * time.Microsecond, Outcome: &order.Outcome{}}},
		event.Line{Text: "up to date, started in 9.4 ms (#1)", Colour: event.Green}},
	{event.Start{Run: event.Run{Generation: 1, Total: 1200 * time.Millisecond}},
		event.Line{Text: "built and started in 1200 ms (#1)", Colour: event.Green}},
	{event.Start{Run: event.Run{Generation: 1, Total: 12 * time.Second, Outcome: &order.Outcome{Compiled: 2, Reused: 1, CutOff: 4, Linker: "go"}}},
		event.Line{Text: "2 compiled, 1 reused, 4 cut off, linked 0.0 ms, started in 12.0 s (#1)", Colour: event.Green}},
	{event.Reload{Run: event.Run{Generation: 2, Files: []string{"greet.go"}, Total: 29 * time.Millisecond, Outcome: &order.Outcome{Compiled: 1}}},
		event.Line{Text: "greet.go → 1 compiled, linked before, restarted in 29 ms (#2)", Colour: event.Green}},
	{event.Reload{Run: event.Run{Generation: 3, Files: []string{"a", "b", "c", "d"}, Total: time.Millisecond}, Rerun: true},
		event.Line{Text: "a, b and 2 more → restarted in 1.0 ms (#3)", Colour: event.Green}},
	{event.Reload{Run: event.Run{Generation: 3, Total: time.Millisecond, Outcome: &order.Outcome{Fallback: "cgo"}}},
		event.Line{Text: "the source → go build 0.0 ms (cgo), restarted in 1.0 ms (#3)", Colour: event.Green}},
	{event.Failed{Generation: 2, Why: "it does not listen", Files: []string{"x.go"}},
		event.Line{Text: "x.go → #2 failed to start: it does not listen; it keeps running", Colour: event.Red}},
	{event.Failed{Generation: 2, Why: "it ended", Exited: true},
		event.Line{Text: "#2 failed to start: it ended; waiting for a change", Colour: event.Red}},
	{event.Failed{Generation: 2, Why: "it ended", Exited: true, Back: 1},
		event.Line{Text: "#2 failed to start: it ended; starting the program of #1 again", Colour: event.Red}},
	{event.Back{Generation: 3, Of: 1, Took: 5 * time.Millisecond},
		event.Line{Text: "the program of #1 runs again, started in 5.0 ms (#3)", Colour: event.Green}},
	{event.Port{Port: 80, Pid: 7, Owner: "nginx"}, event.Line{Text: "port 80 is held by nginx (process 7)", Colour: event.Yellow}},
	{event.Exited{Code: 2, How: "exit code 2"}, event.Line{Text: "the program ended with exit code 2; waiting for a change", Colour: event.Yellow}},
	{event.NewBroken(astcheck.SyntaxError{File: "/m/a.go", Line: 2, Col: 1, Msg: "no", Source: "x"}, "a.go", 0),
		event.Line{Text: "a.go:2:1: no\nx\n^", Block: true, Bare: true}},
	{event.Error{Error: &protocol.Error{Code: protocol.CodeBuild, Message: "# m\na.go:1: no"}},
		event.Line{Text: "# m\na.go:1: no", Fault: true, Block: true, Bare: true, After: "the program does not build"}},
	{event.Error{Error: &protocol.Error{Code: protocol.CodeUsage, Message: "no", Hint: "do"}},
		event.Line{Text: "no", Fault: true, Block: true, Hint: "do"}},
	{event.Nothing{File: "/m/a.go", Short: "a.go", Why: "test file"}, event.Line{Text: "a.go: nothing to do: test file", Colour: event.Dim}},
	{event.Nothing{File: "/m/a.log", Short: "a.log", Why: "w", Last: true},
		event.Line{Text: "a.log: nothing to do: w (said no more)", Colour: event.Dim}},
	{event.Held{Short: "a.go", ShortBroken: "b.go"}, event.Line{Text: "a.go: waits until b.go parses", Colour: event.Dim}},
	{event.Held{Short: "a.go", Many: 2}, event.Line{Text: "a.go: waits until 2 files parse", Colour: event.Dim}},
	{event.Held{Short: "a.go", Files: []string{"/m/a.go"}}, event.Line{Text: "a.go: saved while hr loads the program; it is looked at as soon as that is done", Colour: event.Dim}},
	{event.Unchanged{Files: []string{"a.go"}}, event.Line{Text: "a.go: the program is the same, nothing to restart", Colour: event.Dim}},
	{event.Restored{Generation: 4}, event.Line{Text: "the source is again that of #4, which runs", Colour: event.Green}},
	{event.Restored{}, event.Line{Text: "the source is again that of the last program", Colour: event.Green}},
	{event.Kept{Generation: 4}, event.Line{Text: "the program of #4 keeps running", Colour: event.Dim}},
	{event.Kept{Generation: 4, Trouble: event.NoParse}, event.Line{Text: "does not parse; the program of #4 keeps running", Colour: event.Red}},
	{event.Kept{Generation: 4, Trouble: event.NoParse, Broken: 2}, event.Line{Text: "2 files do not parse; the program of #4 keeps running", Colour: event.Red}},
	{event.Kept{Trouble: event.NoBuild}, event.Line{Text: "the source does not build since; the program that is being started goes on", Colour: event.Dim}},
	{event.Waiting{}, event.Line{Text: "waiting for a change", Colour: event.Dim}},
	{event.Waiting{Trouble: event.NoParse}, event.Line{Text: "does not parse; waiting for a change", Colour: event.Red}},
	{event.Signal{Files: []string{"a.yaml"}, Signal: "HUP", Generation: 2}, event.Line{Text: "a.yaml → sent HUP to #2", Colour: event.Green}},
	{event.Notice{Text: "n"}, event.Line{Text: "n", Colour: event.Yellow}},
	{event.Output{Text: "o"}, event.Line{Text: "o", Block: true, Bare: true}},
	{event.Output{Text: "o", Program: true}, event.Line{Text: "o", Raw: true, Bare: true}},
	{event.Progress{Done: 1, All: 2}, event.Line{}},
	{event.Command{Number: 1, Spec: "s"}, event.Line{Text: "[01] s", Block: true, Colour: event.Dim}},
	{event.Watching{Dir: "/m"}, event.Line{Text: "watching /m", Colour: event.Dim}},
	{event.Ran{Command: []string{"make"}}, event.Line{Text: "[00] start → make in 0.0 ms", Colour: event.Dim}},
	{event.Ran{Command: []string{"make"}, Paths: []string{"d/"}}, event.Line{Text: "[00] d → make in 0.0 ms", Colour: event.Dim}},
	{event.Exit{Code: 1}, event.Line{}},
	{event.Info{Text: "i"}, event.Line{Text: "i"}},
	{event.Interrupted{Text: "i"}, event.Line{Text: "i"}},
}

func TestLines(t *testing.T) {
	for _, x := range every {
		if got := x.event.Line(); got != x.line {
			t.Errorf("%s:\n got %+v\nwant %+v", x.event.Name(), got, x.line)
		}
	}
}

func TestEncode(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	for _, x := range []struct {
		event event.Event
		from  event.Origin
		want  string
	}{
		{event.Notice{Text: "n"}, event.Origin{}, `{"v":1,"event":"notice","time":"2026-11-27T12:00:00Z","text":"n","data":{}}`},
		{event.Port{Port: 80, Pid: 7, Owner: "x"}, event.Origin{Service: "api", Instance: 9},
			`{"v":1,"event":"port","time":"2026-11-27T12:00:00Z","service":"api","instance":9,"text":"port 80 is held by x (process 7)","data":{"port":80,"pid":7,"name":"x"}}`},
		{event.Error{Error: &protocol.Error{Code: "usage", Message: "m"}}, event.Origin{},
			`{"v":1,"event":"error","time":"2026-11-27T12:00:00Z","text":"m","data":{"code":"usage","message":"m"}}`},
	} {
		got, err := event.Encode(x.event, x.from, now)
		if err != nil || string(got) != x.want {
			t.Errorf("%s: %v\n got %s\nwant %s", x.event.Name(), err, got, x.want)
		}
		if !json.Valid(got) {
			t.Errorf("%s: not JSON", got)
		}
	}
}
