package reflex

import (
	"fmt"
	"strings"
)

// Decoration is how lines of output are marked by the command they come from.
type Decoration int

const (
	None  Decoration = iota // as they are
	Plain                   // [00] in front
	Fancy                   // the same in colour
)

// Info is the number of what no command says.
const Info = -1

// ParseDecoration knows the names none, plain and fancy.
func ParseDecoration(name string) (Decoration, error) {
	for i, n := range []string{"none", "plain", "fancy"} {
		if strings.EqualFold(name, n) {
			return Decoration(i), nil
		}
	}
	return None, fmt.Errorf("unknown decoration %q: there are none, plain and fancy", name)
}

// Mark returns a line of output of command number id, without a line feed.
func (d Decoration) Mark(id int, text string) string {
	tag := "[info]"
	if id >= 0 {
		tag = fmt.Sprintf("[%02d]", id)
	}
	switch d {
	case Plain:
		return tag + " " + text
	case Fancy:
		// Bold green to cyan by turns; red is for what no command says.
		color := 31
		if id >= 0 {
			color = 32 + id%5
		}
		return fmt.Sprintf("\x1b[01;%dm%s %s\x1b[m", color, tag, text)
	}
	return text
}
