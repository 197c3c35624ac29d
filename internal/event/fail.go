package event

import (
	"fmt"
	"strings"
	"time"

	"github.com/hotreflex/hr/astcheck"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/protocol"
)

// Failed tells of a start that failed.
type Failed struct {
	Generation int           `json:"generation"`
	Pid        int           `json:"pid"`
	Files      []string      `json:"files,omitempty"`
	Why        string        `json:"why"`
	Exited     bool          `json:"exited"`
	Late       bool          `json:"late,omitempty"` // it had been told as started
	Code       int           `json:"code,omitempty"`
	Output     []string      `json:"output,omitempty"` // its last lines, if hr sees them
	Total      time.Duration `json:"total"`

	// Outcome is the build that made the program; none if it was there already.
	Outcome *order.Outcome `json:"outcome,omitempty"`

	// Back is the generation whose program is started again, 0 if none is.
	Back int `json:"back,omitempty"`
}

// Name is failed.
func (Failed) Name() string { return "failed" }

// Story is the line without what happens next.
func (e Failed) Story() string {
	text := fmt.Sprintf("#%d failed to start: %s", e.Generation, e.Why)
	if len(e.Files) > 0 {
		text = Names(e.Files) + " → " + text
	}
	return text
}

// Line tells why, and what happens next.
func (e Failed) Line() Line {
	then := "; waiting for a change"
	switch {
	case e.Back > 0:
		then = fmt.Sprintf("; starting the program of #%d again", e.Back)
	case !e.Exited:
		then = "; it keeps running"
	}
	return Line{Text: e.Story() + then, Colour: Red}
}

// Back tells that the last good program runs again after a failed start.
type Back struct {
	Generation int           `json:"generation"`
	Pid        int           `json:"pid"`
	Of         int           `json:"of"` // the generation that it was before
	Took       time.Duration `json:"took,omitempty"`
}

// Name is back.
func (Back) Name() string { return "back" }

// Line names both generations.
func (e Back) Line() Line {
	return Line{Text: fmt.Sprintf("the program of #%d runs again, started in %s (#%d)", e.Of, Duration(e.Took), e.Generation), Colour: Green}
}

// Port tells who holds a port that the program could not have.
type Port struct {
	Port  int    `json:"port"`
	Pid   int    `json:"pid"`
	Owner string `json:"name"`
}

// Name is port.
func (Port) Name() string { return "port" }

// Line names the process.
func (e Port) Line() Line {
	return Line{Text: fmt.Sprintf("port %d is held by %s (process %d)", e.Port, e.Owner, e.Pid), Colour: Yellow}
}

// Exited tells that the program ended by itself.
type Exited struct {
	Code int    `json:"code"` // as a shell gives it: 128 and the signal's number, if one ended it
	How  string `json:"how,omitempty"`
}

// Name is exited.
func (Exited) Name() string { return "exited" }

// Line says how.
func (e Exited) Line() Line {
	return Line{Text: "the program ended with " + e.How + "; waiting for a change", Colour: Yellow}
}

// Broken tells of a file that does not parse.
type Broken struct {
	File    string        `json:"file"`
	Row     int           `json:"line"` // from 1
	Col     int           `json:"col"`
	Message string        `json:"message"`
	Took    time.Duration `json:"took"`

	// Shown is the error as people read it: with a short name and the source line.
	Shown string `json:"-"`
}

// NewBroken tells of a syntax error; short is the file's name for people.
func NewBroken(e astcheck.SyntaxError, short string, took time.Duration) Broken {
	b := Broken{File: e.File, Row: e.Line, Col: e.Col, Message: e.Msg, Took: took}
	e.File = short
	b.Shown = e.Error()
	if excerpt := e.Excerpt(); excerpt != "" {
		b.Shown += "\n" + excerpt
	}
	return b
}

// Name is broken.
func (Broken) Name() string { return "broken" }

// Line is the error with its source line.
func (e Broken) Line() Line { return Line{Text: e.Shown, Block: true, Bare: true} }

// Problem is one complaint of the go command.
type Problem struct {
	Package string `json:"package,omitempty"` // import path
	File    string `json:"file"`              // absolute
	Line    int    `json:"line"`              // from 1
	Col     int    `json:"col,omitempty"`     // from 1, in bytes; 0 if it is not told
	Message string `json:"message"`           // may have more lines
}

// Error tells of something that went wrong: the user's code does not build, a
// program cannot be run, or hr itself cannot go on.
type Error struct {
	*protocol.Error

	// Problems are the places that the text names, in its order, for editors.
	Problems []Problem `json:"problems,omitempty"`
	// Outcome is the build that made a program which the system does not run.
	Outcome *order.Outcome `json:"outcome,omitempty"`
}

// Name is error.
func (Error) Name() string { return "error" }

// Line is the message; what the go command said stands as it is.
func (e Error) Line() Line {
	if e.Code == protocol.CodeBuild && strings.Contains(e.Message, "\n") {
		return Line{Text: e.Message, Fault: true, Block: true, Bare: true, After: "the program does not build", Hint: e.Hint}
	}
	// These may hold what a tool said.
	return Line{Text: e.Message, Fault: true, Block: e.Code == protocol.CodeInternal || e.Code == protocol.CodeUsage, Hint: e.Hint}
}
