package event

import (
	"fmt"
	"strings"
	"time"
)

// These are told by hr reflex. A line of a reflex.conf has a number, from 0.

// Command names a line of a reflex.conf, with -v.
type Command struct {
	Number int    `json:"line"`
	Spec   string `json:"spec"`
}

// Name is line.
func (Command) Name() string { return "line" }

// Line is the line as reflex prints it.
func (e Command) Line() Line {
	return Line{Text: fmt.Sprintf("[%02d] %s", e.Number, e.Spec), Block: true, Colour: Dim}
}

// Watching tells that saves are seen from now on.
type Watching struct {
	Dir   string `json:"dir"`
	Lines int    `json:"lines"` // commands that listen
}

// Name is watching.
func (Watching) Name() string { return "watching" }

// Line names the directory.
func (e Watching) Line() Line { return Line{Text: "watching " + e.Dir, Colour: Dim} }

// Ran tells that a command was started.
type Ran struct {
	Number  int           `json:"line"`
	Pid     int           `json:"pid"`
	Command []string      `json:"command"`
	Paths   []string      `json:"paths"` // that it runs for; empty at the start
	Event   time.Time     `json:"eventTime"`
	Started time.Time     `json:"startTime"`
	Took    time.Duration `json:"took"` // from the event to the start
}

// Name is run.
func (Ran) Name() string { return "run" }

// Line names paths and command.
func (e Ran) Line() Line {
	what := "start"
	if len(e.Paths) > 0 {
		what = strings.TrimSuffix(Names(e.Paths), "/")
	}
	return Line{Text: fmt.Sprintf("[%02d] %s → %s in %s", e.Number, what, e.Command[0], Duration(e.Took)), Colour: Dim}
}

// Exit tells that a command ended by itself.
type Exit struct {
	Number int           `json:"line"`
	Pid    int           `json:"pid"`
	Code   int           `json:"code"`
	Took   time.Duration `json:"took"`
}

// Name is exit.
func (Exit) Name() string { return "exit" }

// Line is empty: hr reflex prints (error exit: N) in reflex's own words.
func (Exit) Line() Line { return Line{} }

// Info is what hr reflex says about a command, in reflex's own words.
type Info struct {
	Number int    `json:"line"`
	Text   string `json:"-"`
}

// Name is info.
func (Info) Name() string { return "info" }

// Line is the text.
func (e Info) Line() Line { return Line{Text: e.Text} }

// Interrupted tells that a signal ends hr reflex.
type Interrupted struct {
	Text string `json:"-"`
}

// Name is interrupted.
func (Interrupted) Name() string { return "interrupted" }

// Line is the text.
func (e Interrupted) Line() Line { return Line{Text: e.Text} }
