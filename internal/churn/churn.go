// Package churn tells which inputs do not stand still, and how long what they
// would cause is put off.
//
// It is pure: the time is an argument, and who asks does what it says. A file that
// a program writes all the time may not restart that program all the time, nor may
// it hold up what a person saved: what is put off is only what the file itself
// would cause, and it is never put off for good.
package churn

import (
	"cmp"
	"slices"
	"time"
)

const (
	// manyIn and many: hardly anybody saves a file six times in ten seconds by hand.
	// Scripts and editors that save by themselves do, so a writer must be found, too.
	many   = 6
	manyIn = 10 * time.Second
	// ownMany changes in a row, each soon after a start of the program: it writes
	// its own input, however slowly it comes to it.
	ownMany   = 10
	ownWithin = 5 * time.Second
	// longMany changes without ten seconds of silence between any two of them are no
	// person's either.
	longMany = 25
	// firstPause is as long as stillness at the least; each further one is twice as
	// long. A restart every half minute disturbs nobody's work.
	firstPause = time.Second
	lastPause  = 30 * time.Second
	// still: what has not changed for a second is done, unless it is used to be
	// silent for longer.
	still = time.Second
	// calm forgets a path that has been silent for so long.
	calm = 10 * time.Second
)

// Tracker knows the changes of each path. The zero value knows none. One
// goroutine uses it.
type Tracker struct {
	paths   map[string]*history
	started time.Time // the program's newest start
}

type history struct {
	recent   []time.Time // the newest changes, many or ownMany of them at most
	count    int
	first    time.Time
	own      int // changes in a row that came soon after a start
	askAt    int // count at which somebody should look again
	restless bool
	pause    time.Duration
	acted    time.Time // for its sake
	waiting  bool
}

// Story is what is known of a path that does not stand still.
type Story struct {
	Path    string        `json:"path"`
	Changes int           `json:"changes"`
	Since   time.Time     `json:"since"`
	Pause   time.Duration `json:"pause"` // before the next build for its sake
	// Own tells that each of its changes came soon after a start of the program.
	Own bool `json:"own,omitempty"`
}

// Started notes that the program was started.
func (t *Tracker) Started(now time.Time) { t.started = now }

// Saw notes that a path changed. It returns whether that may be acted on now;
// if not, Due tells of it later. Ask is true when it changes so often that somebody
// should look for a process that writes it: a script, or a person in a hurry, may
// do the same, and waits for each restart. Nothing is put off before Confirm.
func (t *Tracker) Saw(path string, now time.Time) (act, ask bool) {
	if t.paths == nil {
		t.paths = map[string]*history{}
	}
	h := t.paths[path]
	if h == nil || now.Sub(h.last()) > max(calm, 3*h.pause) {
		h = &history{first: now}
		t.paths[path] = h
	}
	h.count++
	h.recent = append(h.recent, now)
	if len(h.recent) > ownMany {
		h.recent = h.recent[1:]
	}
	if !t.started.IsZero() && now.Sub(t.started) <= ownWithin {
		h.own++
	} else {
		h.own = 0
	}
	if !h.restless && h.count >= h.askAt && (h.often() || h.own >= ownMany || h.count >= longMany) {
		ask, h.askAt = true, 2*h.count // a look costs some milliseconds
	}
	if h.restless && h.due().After(now) {
		h.waiting = true
		return false, ask
	}
	h.act(now)
	return true, ask
}

// Confirm notes that a process writes the path: it does not stand still. False
// if that was known.
func (t *Tracker) Confirm(path string, now time.Time) bool {
	h := t.paths[path]
	if h == nil || h.restless {
		return false
	}
	h.restless, h.pause, h.acted = true, firstPause, now
	return true
}

func (h *history) last() time.Time { return h.recent[len(h.recent)-1] }

// often tells that the newest changes came too fast for a person.
func (h *history) often() bool {
	return len(h.recent) >= many && h.last().Sub(h.recent[len(h.recent)-many]) <= manyIn
}

// due is when a change that waits is acted on: after the pause, or as soon as the
// path has been silent for longer than it ever was between two changes.
func (h *history) due() time.Time {
	quiet := still
	for i := 1; i < len(h.recent); i++ {
		quiet = max(quiet, h.recent[i].Sub(h.recent[i-1])*3/2)
	}
	due := h.acted.Add(h.pause)
	if stands := h.last().Add(quiet); stands.Before(due) {
		return stands
	}
	return due
}

func (h *history) act(now time.Time) {
	h.waiting, h.acted = false, now
	if h.restless {
		h.pause = min(2*h.pause, lastPause)
	}
}

// TookAll notes that a build begins that takes every input as it is: nothing
// waits any more.
func (t *Tracker) TookAll() {
	for _, h := range t.paths {
		h.waiting = false
	}
}

// Next is when something that waits is due, zero for never.
func (t *Tracker) Next() time.Time {
	var next time.Time
	for _, h := range t.paths {
		if due := h.due(); h.waiting && (next.IsZero() || due.Before(next)) {
			next = due
		}
	}
	return next
}

// Due returns the paths to act on now, sorted.
func (t *Tracker) Due(now time.Time) []string {
	var due []string
	for path, h := range t.paths {
		if h.waiting && !h.due().After(now) {
			h.act(now)
			due = append(due, path)
		}
	}
	slices.Sort(due)
	return due
}

// Stories tells of the paths that do not stand still, by name.
func (t *Tracker) Stories(now time.Time) []Story {
	var out []Story
	for path, h := range t.paths {
		if h.restless && now.Sub(h.last()) <= max(calm, 3*h.pause) {
			out = append(out, Story{Path: path, Changes: h.count, Since: h.first, Pause: h.pause, Own: h.own == h.count})
		}
	}
	slices.SortFunc(out, func(a, b Story) int { return cmp.Compare(a.Path, b.Path) })
	return out
}
