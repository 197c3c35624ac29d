// Package screen is the one place that speaks to the user: it hears events and
// prints their lines at a terminal or into a file, or their JSON form.
//
// Its lines go to standard error: standard output is the program's. It decides
// nothing and keeps nothing but the bar of a cold build. Text of others becomes
// printable here and nowhere else. Called by cmd/hr; all methods may be called
// by several goroutines at once.
package screen

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/printable"
)

// Screen is a sink of events.
type Screen struct {
	w     *os.File
	json  bool
	from  event.Origin
	color bool
	wide  int // columns of the terminal, 0 if it is none

	mu   sync.Mutex // guards fields below
	bar  bool       // the bar of a cold build is on the last line
	lent bool       // the program has the terminal
}

// New looks at the terminal: colour only there, and never with NO_COLOR
// (https://no-color.org).
func New(w *os.File, asJSON bool) *Screen {
	s := &Screen{w: w, json: asJSON, from: event.Origin{Instance: os.Getpid()}}
	if fd := int(w.Fd()); term.IsTerminal(fd) && os.Getenv("TERM") != "dumb" && !asJSON {
		s.color = os.Getenv("NO_COLOR") == ""
		s.wide, _, _ = term.GetSize(fd)
	}
	return s
}

// JSON reports whether events are printed in their JSON form.
func (s *Screen) JSON() bool { return s.json }

// codes are the colours as a terminal knows them (ECMA-48, select graphic
// rendition).
var codes = map[event.Colour]string{event.Dim: "2", event.Red: "31", event.Green: "32", event.Yellow: "33"}

// Paint gives text a colour where the terminal has any.
func (s *Screen) Paint(c event.Colour, text string) string {
	if !s.color || codes[c] == "" {
		return text
	}
	return "\x1b[" + codes[c] + "m" + text + "\x1b[0m"
}

// Tell prints an event.
func (s *Screen) Tell(e event.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := e.(event.Progress); ok && !s.json {
		s.progress(p)
		return
	}
	s.clearBar()
	if s.json {
		if data, err := event.Encode(e, s.from, time.Now()); err == nil {
			s.w.Write(append(data, '\n')) // a screen that is gone has no reader
		}
		return
	}
	l := e.Line()
	if l.Text != "" {
		s.println(s.head(l))
	}
	if l.After != "" {
		s.println(s.Paint(event.Red, "hr:") + " " + l.After)
	}
	if l.Hint != "" {
		s.println(s.Paint(event.Dim, "hint:") + " " + printable.Line(l.Hint))
	}
}

// Notice tells a line that belongs to no save.
func (s *Screen) Notice(format string, args ...any) {
	s.Tell(event.Notice{Text: fmt.Sprintf(format, args...)})
}

// head is a line with hr's mark, unless it has none.
func (s *Screen) head(l event.Line) string {
	text := printable.Line(l.Text)
	switch {
	case l.Raw:
		text = l.Text
	case l.Block:
		text = printable.Text(strings.TrimRight(l.Text, "\n"))
	}
	switch {
	case l.Bare:
		return text
	case l.Fault:
		return s.Paint(event.Red, "hr:") + " " + text
	}
	return s.Paint(event.Dim, "hr:") + " " + s.Paint(l.Colour, text+l.More)
}

// println ends lines as a terminal in raw mode needs it while the program has
// it; s.mu is held.
func (s *Screen) println(text string) {
	if s.lent {
		s.freshLine() // the program may have printed a prompt
		text = strings.ReplaceAll(text, "\n", "\r\n") + "\r"
	}
	fmt.Fprintln(s.w, text)
}
