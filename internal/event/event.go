// Package event is everything that hr tells: one Go type for each thing, with
// the line that people read and the JSON form that programs read.
//
// It prints nothing, keeps nothing and decides nothing: who tells makes an
// Event, a Sink hears it. docs/events.md is made from the types of this package
// and is a promise: fields may be added, none is renamed or removed. Called by
// cmd/hr and by the sinks. Events are immutable values; a Sink says itself
// whether it may be told by several goroutines at once.
package event

import (
	"encoding/json"
	"time"
)

// Version is the field v of every JSON line. It changes when a field is
// renamed, removed or means something else.
const Version = 1

// Event is one thing that hr tells. Its exported fields are its JSON form.
type Event interface {
	Name() string // as in JSON; it never changes
	Line() Line   // as people read it
}

// Colour is how a line is painted at a terminal.
type Colour int

// The colours.
const (
	Plain Colour = iota
	Dim
	Red
	Green
	Yellow
)

// Line is an event as people read it.
type Line struct {
	Text   string // empty if people are told nothing
	More   string // what follows the text and is fit for a screen, as the waterfall of -v
	Colour Colour
	Block  bool   // the text has a layout of several lines
	Raw    bool   // the text is the program's own and stays as it is, to the byte
	Bare   bool   // hr's mark does not stand before it
	Fault  bool   // the mark is red
	After  string // a second line, with the mark
	Hint   string // what to do
}

// Origin says who tells.
type Origin struct {
	Service  string // of hr.toml; empty for one program alone
	Instance int    // process id of the hr
}

// Sink hears events.
type Sink interface {
	Tell(e Event)
}

// envelope is one line of --json.
type envelope struct {
	V        int       `json:"v"`
	Event    string    `json:"event"`
	Time     time.Time `json:"time"`
	Service  string    `json:"service,omitempty"`
	Instance int       `json:"instance,omitempty"`
	Text     string    `json:"text,omitempty"`
	Data     any       `json:"data,omitempty"`
}

// Encode returns the JSON form of an event without a newline at its end.
func Encode(e Event, from Origin, now time.Time) ([]byte, error) {
	line := e.Line()
	return json.Marshal(envelope{
		V: Version, Event: e.Name(), Time: now, Service: from.Service, Instance: from.Instance, Text: line.Text + line.More, Data: e,
	})
}
