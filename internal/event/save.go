package event

import (
	"fmt"
	"time"

	"github.com/hotreflex/hr/astcheck"
	"github.com/hotreflex/hr/internal/order"
)

// Nothing tells why a save does nothing.
type Nothing struct {
	File    string            `json:"file"`              // empty in a line for many files
	Verdict *astcheck.Verdict `json:"verdict,omitempty"` // none of a file that only the program reads
	Why     string            `json:"why,omitempty"`
	Took    time.Duration     `json:"took"`

	// Short is the file's name for people; Last says that this line about it will
	// not be printed again.
	Short string `json:"-"`
	Last  bool   `json:"-"`
}

// Name is nothing.
func (Nothing) Name() string { return "nothing" }

// Line names the file and the reason.
func (e Nothing) Line() Line {
	text := e.Short + ": nothing to do: " + e.Why
	if e.Last {
		text += " (said no more)"
	}
	return Line{Text: text, Colour: Dim}
}

// Held tells of an edit that waits until another file parses, or of saves that
// wait until the program is loaded.
type Held struct {
	File    string            `json:"file,omitempty"`
	Verdict *astcheck.Verdict `json:"verdict,omitempty"`
	Why     string            `json:"why,omitempty"`
	Broken  string            `json:"broken,omitempty"` // the first file that does not parse
	Files   []string          `json:"files,omitempty"`  // saved while hr loads the program

	Short       string `json:"-"` // the files' names for people
	ShortBroken string `json:"-"`
	Many        int    `json:"-"` // files that do not parse
}

// Name is held.
func (Held) Name() string { return "held" }

// Line names the files and what they wait for.
func (e Held) Line() Line {
	text := e.Short + ": waits until " + e.ShortBroken + " parses"
	switch {
	case len(e.Files) > 0:
		text = e.Short + ": saved while hr loads the program; it is looked at as soon as that is done"
	case e.Many > 1:
		text = fmt.Sprintf("%s: waits until %d files parse", e.Short, e.Many)
	}
	return Line{Text: text, Colour: Dim}
}

// Unchanged tells that a build gave the program that runs.
type Unchanged struct {
	*order.Outcome

	Files []string `json:"files,omitempty"`
}

// Name is unchanged.
func (Unchanged) Name() string { return "unchanged" }

// Line names the files.
func (e Unchanged) Line() Line {
	return Line{Text: Names(e.Files) + ": the program is the same, nothing to restart", Colour: Dim}
}

// Restored tells that the source is again that of the last program.
type Restored struct {
	Generation int `json:"generation,omitempty"` // that runs; 0 if none does
}

// Name is restored.
func (Restored) Name() string { return "restored" }

// Line says whether the program runs.
func (e Restored) Line() Line {
	if e.Generation > 0 {
		return Line{Text: fmt.Sprintf("the source is again that of #%d, which runs", e.Generation), Colour: Green}
	}
	return Line{Text: "the source is again that of the last program", Colour: Green}
}

// Trouble is why a source gives no program.
type Trouble string

// The troubles that Kept and Waiting know; none is named after the error itself.
const (
	NoTrouble Trouble = ""
	NoParse   Trouble = "parse"      // a file does not parse
	NoBuild   Trouble = "builtSince" // a save during the start does not build
)

// Kept tells which program a save that gives none leaves alone.
type Kept struct {
	Generation int     `json:"generation,omitempty"` // 0 while one is being started
	Trouble    Trouble `json:"trouble,omitempty"`
	Broken     int     `json:"broken,omitempty"` // files that do not parse
}

// Name is kept.
func (Kept) Name() string { return "kept" }

// Line names the generation.
func (e Kept) Line() Line {
	text := "the program that is being started goes on"
	if e.Generation > 0 {
		text = fmt.Sprintf("the program of #%d keeps running", e.Generation)
	}
	switch e.Trouble {
	case NoParse:
		return Line{Text: doNotParse(e.Broken) + text, Colour: Red}
	case NoBuild:
		text = "the source does not build since; " + text
	}
	return Line{Text: text, Colour: Dim}
}

// doNotParse says that one file or several do not.
func doNotParse(files int) string {
	if files > 1 {
		return fmt.Sprintf("%d files do not parse; ", files)
	}
	return "does not parse; "
}

// Waiting tells that no program runs and the next save is waited for.
type Waiting struct {
	Trouble Trouble `json:"trouble,omitempty"`
	Broken  int     `json:"broken,omitempty"` // files that do not parse
}

// Name is waiting.
func (Waiting) Name() string { return "waiting" }

// Line says so.
func (e Waiting) Line() Line {
	if e.Trouble == NoParse {
		return Line{Text: doNotParse(e.Broken) + "waiting for a change", Colour: Red}
	}
	return Line{Text: "waiting for a change", Colour: Dim}
}

// Signal tells that the program was sent a signal to look at its files.
type Signal struct {
	Files      []string `json:"files"`
	Signal     string   `json:"signal"`
	Generation int      `json:"generation"`
	Pid        int      `json:"pid"`
}

// Name is signal.
func (Signal) Name() string { return "signal" }

// Line names files, signal and generation.
func (e Signal) Line() Line {
	return Line{Text: fmt.Sprintf("%s → sent %s to #%d", Names(e.Files), e.Signal, e.Generation), Colour: Green}
}
