package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/hotreflex/hr/internal/printable"
	"github.com/hotreflex/hr/internal/protocol"
)

// screen is the one place that speaks to the user. Its lines go to standard
// error: standard output is the program's. A line is an API: scripts match it.
type screen struct {
	w     *os.File
	json  bool
	color bool
	wide  int // columns of the terminal, 0 if it is none

	mu   sync.Mutex // guards fields below
	bar  *progressbar.ProgressBar
	lent bool // the program has the terminal
}

// event is one line of --json. Fields that say nothing are left out.
type event struct {
	Event string    `json:"event"`
	Time  time.Time `json:"time"`
	Text  string    `json:"text,omitempty"` // the line without --json
	Data  any       `json:"data,omitempty"`
}

// newScreen looks at the terminal: colour only there, and never with NO_COLOR
// (https://no-color.org).
func newScreen(w *os.File, asJSON bool) *screen {
	s := &screen{w: w, json: asJSON}
	if fd := int(w.Fd()); term.IsTerminal(fd) && os.Getenv("TERM") != "dumb" && !asJSON {
		s.color = os.Getenv("NO_COLOR") == ""
		s.wide, _, _ = term.GetSize(fd)
	}
	return s
}

// The colours by their terminal codes (ECMA-48, select graphic rendition).
const (
	plain  = ""
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (s *screen) paint(color, text string) string {
	if !s.color || color == plain {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// say prints one line, or the event of that name.
func (s *screen) say(name, color, text string, data any) { s.sayMore(name, color, text, "", data) }

// sayMore prints a line and, below it, more that is fit for the screen.
func (s *screen) sayMore(name, color, text, more string, data any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clearBar()
	if s.json {
		s.encode(event{Event: name, Time: time.Now(), Text: text + more, Data: data})
		return
	}
	s.println(s.paint(dim, "hr:") + " " + s.paint(color, printable.Line(text)+more))
}

// println ends lines as a terminal in raw mode needs it while the program has
// it; s.mu is held.
func (s *screen) println(text string) {
	if s.lent {
		s.freshLine() // the program may have printed a prompt
		text = strings.ReplaceAll(text, "\n", "\r\n") + "\r"
	}
	fmt.Fprintln(s.w, text)
}

// freshLine goes to the start of the next line, unless the cursor is at the
// start of one: as many blanks as a line has wrap from everywhere else. s.mu is
// held.
func (s *screen) freshLine() {
	if s.wide == 0 || s.json {
		return
	}
	if wide, _, err := term.GetSize(int(s.w.Fd())); err == nil && wide > 0 {
		fmt.Fprint(s.w, strings.Repeat(" ", wide)+"\r\x1b[K")
	}
}

// interrupted leaves the line with the terminal's ^C.
func (s *screen) interrupted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clearBar()
	if !s.lent {
		s.freshLine()
	}
}

// lend is told when the program gets the terminal and when it is back.
func (s *screen) lend(program bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clearBar()
	s.lent = program
}

// notice prints a line that belongs to no save.
func (s *screen) notice(format string, args ...any) {
	s.say("notice", yellow, fmt.Sprintf(format, args...), nil)
}

// text prints what the go command said, in its own layout.
func (s *screen) text(name, text string, data any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clearBar()
	if s.json {
		s.encode(event{Event: name, Time: time.Now(), Text: text, Data: data})
		return
	}
	s.println(printable.Text(strings.TrimRight(text, "\n")))
}

// output prints what the program said, to the byte: it could as well have said
// it itself.
func (s *screen) output(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clearBar()
	if s.json {
		s.encode(event{Event: "output", Time: time.Now(), Text: text})
		return
	}
	s.println(text)
}

// fail prints an error and what to do about it.
func (s *screen) fail(e *protocol.Error) { s.failWith(e, e) }

// failWith has more data for those who read JSON.
func (s *screen) failWith(e *protocol.Error, data any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clearBar()
	if s.json {
		s.encode(event{Event: "error", Time: time.Now(), Text: e.Message, Data: data})
		return
	}
	switch {
	case e.Code == protocol.CodeBuild && strings.Contains(e.Message, "\n"):
		s.println(printable.Text(e.Message))
		s.println(s.paint(red, "hr:") + " the program does not build")
	case e.Code == protocol.CodeInternal, e.Code == protocol.CodeUsage: // may hold what a tool said
		s.println(s.paint(red, "hr:") + " " + printable.Text(e.Message))
	default:
		s.println(s.paint(red, "hr:") + " " + printable.Line(e.Message))
	}
	if e.Hint != "" {
		s.println(s.paint(dim, "hint:") + " " + printable.Line(e.Hint))
	}
}

// progress draws the bar of a cold build; without a terminal nothing is drawn.
func (s *screen) progress(p protocol.Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.json {
		s.encode(event{Event: "progress", Time: time.Now(), Data: p})
		return
	}
	if s.wide == 0 || s.lent {
		return
	}
	if s.bar == nil {
		s.bar = progressbar.NewOptions(max(p.All, 1),
			progressbar.OptionSetWriter(s.w),
			progressbar.OptionSetDescription("hr: compiling"),
			progressbar.OptionShowCount(),
			progressbar.OptionSetWidth(min(40, max(10, s.wide-50))),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionEnableColorCodes(s.color),
		)
	}
	if p.All > 0 {
		s.bar.ChangeMax(p.All)
	}
	s.bar.Set(p.Done)
}

// clearBar wipes the bar before anything else is printed. s.mu is held.
func (s *screen) clearBar() {
	if s.bar != nil {
		s.bar.Clear()
		s.bar = nil
	}
}

func (s *screen) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clearBar()
}

func (s *screen) encode(e event) {
	json.NewEncoder(s.w).Encode(e) // a screen that is gone has no reader
}

// ms prints a duration as people read it: whole milliseconds, one decimal below
// ten, seconds from ten on.
func ms(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	case d < 10*time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
