package screen

import (
	"fmt"
	"strings"

	"golang.org/x/term"

	"github.com/hotreflex/hr/internal/event"
)

// freshLine goes to the start of the next line, unless the cursor is at the
// start of one: as many blanks as a line has wrap from everywhere else. s.mu is
// held.
func (s *Screen) freshLine() {
	if s.wide == 0 || s.json {
		return
	}
	if wide, _, err := term.GetSize(int(s.w.Fd())); err == nil && wide > 0 {
		fmt.Fprint(s.w, strings.Repeat(" ", wide)+"\r\x1b[K")
	}
}

// Interrupted leaves the line with the terminal's ^C.
func (s *Screen) Interrupted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clearBar()
	if !s.lent {
		s.freshLine()
	}
}

// Lend is told when the program gets the terminal and when it is back.
func (s *Screen) Lend(program bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clearBar()
	s.lent = program
}

// Clear wipes the terminal, and what has scrolled out of it.
func (s *Screen) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clearBar()
	if s.wide > 0 {
		fmt.Fprint(s.w, "\x1b[H\x1b[2J\x1b[3J") // ECMA-48 CUP and ED; 3 is xterm's
	}
}

// Done takes the bar away.
func (s *Screen) Done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clearBar()
}

// barMost is as wide as a bar gets: more cells say nothing more.
const barMost = 40

// progress draws the bar of a cold build; without a terminal nothing is drawn.
// s.mu is held.
func (s *Screen) progress(p event.Progress) {
	if s.wide == 0 || s.lent {
		return
	}
	s.bar = true
	fmt.Fprintf(s.w, "\r\x1b[K%s", barText(p, min(barMost, s.wide-50)))
}

// barText is the bar in so many cells; a terminal too narrow has the count alone.
func barText(p event.Progress, cells int) string {
	if p.All <= 0 {
		return "hr: compiling"
	}
	count := fmt.Sprintf("(%d/%d)", p.Done, p.All)
	if cells < 10 {
		return "hr: compiling " + count
	}
	done := min(cells, cells*p.Done/p.All)
	return fmt.Sprintf("hr: compiling %3d%% |%s%s| %s", min(100, 100*p.Done/p.All), strings.Repeat("█", done), strings.Repeat(" ", cells-done), count)
}

// clearBar wipes the bar before anything else is printed. s.mu is held.
func (s *Screen) clearBar() {
	if s.bar {
		fmt.Fprint(s.w, "\r\x1b[K")
		s.bar = false
	}
}
