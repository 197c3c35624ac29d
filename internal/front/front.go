// Package front is one program under development: it turns saves, answers,
// starts and deaths into builds, starts and words.
//
// Its heart is model, plain data, and on, the one function that changes it: an
// input comes, a new model and a list of acts go. The loop around it receives,
// calls on and performs; it decides nothing. So every order of inputs can be
// tried in microseconds: front_sim_test.go does.
//
// It compiles, links and watches nothing itself: hrd, the supervisor and the
// watcher do, through Performer. Called by cmd/hr; a process may run several
// fronts, each with one goroutine.
package front

import (
	"maps"
	"slices"
	"time"

	"github.com/hotreflex/hr/internal/order"
)

// options are what the command line says, as far as it decides anything here.
type options struct {
	dir          string // of the program, for short names
	noopRestart  bool   // a comment-only edit is built, too
	wantsLinker  bool   // who asked for the incremental linker hears why it refused
	readyGiven   bool   // the user said what ready means
	readyAsked   bool   // hr itself finds out whether the program is ready
	readyTCP     bool   // ready is a listening socket and nothing less
	readyTimeout bool   // a generation that is not ready in time failed
	keepGood     choice // run the last good program when a start fails
}

// choice is a flag that is on, off, or left to the circumstances.
type choice struct{ given, on bool }

func (c choice) or(otherwise bool) bool {
	if c.given {
		return c.on
	}
	return otherwise
}

// model is what is known and under way. It is never changed in place: on
// returns another one, and maps and slices are cloned before they differ.
//
// What must stay true: while source.known, the snapshot that paths are judged
// by is the source of program.running, no newer and no older. Then "nothing to
// do" is never said of an edit that the program lacks. What is saved while that
// cannot be known waits in source.held.
type model struct {
	opt     options
	source  source
	ask     ask
	program program
}

// source is what is known of the files.
type source struct {
	known   bool            // there is a snapshot to judge by
	have    uint64          // number of the program that it belongs to
	made    string          // key of that program's artifact
	broken  map[string]bool // files that do not parse
	dropped bool            // edits beside a broken file wait for it
	failing bool            // the last build failed
	failure string          // why
	blamed  map[string]bool // files whose edits came to be built since the last good program
	doubt   bool            // the build under way may have read what was mended since
	held    *batch          // saves that cannot be judged yet
}

// ask is what is asked of hrd.
type ask struct {
	seq      uint64 // of the newest request: only its answer counts
	backend  bool   // hrd was found, or the private one runs
	local    bool   // it is the private one
	session  bool   // a session is open
	gone     bool   // the session ended under us
	lostAt   time.Time
	opening  bool // an open is under way
	building bool // an open or a build is under way
	awaiting bool // the snapshot of an open is still to come
	early    bool // program.running was started before the open under way was through
	names    []string
	from     time.Time // the save that caused the request under way
	refused  string    // why the incremental linker did not link, as last told
}

// program is what runs.
type program struct {
	gen       int            // the newest generation, 0 for none
	pid       int            // of gen
	live      bool           // gen runs, and its end would be news
	launching bool           // a start is under way
	next      *launch        // what to start when that is through
	running   order.Artifact // what gen runs, or is about to
	good      good           // what a failed start goes back to
	due       []string       // files that restart the program, when the build under way does not
	waiting   []int          // restarts to answer
}

// good is the last program that became ready.
type good struct {
	artifact order.Artifact
	env      string // stands for its environment
	gen      int
	listened bool // on some socket
}

// batch is a settled set of changed paths. Rescan says that there may be more.
type batch struct {
	paths  []string
	first  time.Time
	rescan bool
	blind  bool // it was held until there was a snapshot: hrd may know more
}

// join puts two batches together; the times of the first count.
func (b batch) join(more batch) batch {
	b.paths = slices.Concat(b.paths, more.paths)
	slices.Sort(b.paths)
	b.paths = slices.Compact(b.paths)
	b.rescan = b.rescan || more.rescan
	return b
}

// launch is one start of an artifact in place of the generation before.
type launch struct {
	artifact order.Artifact
	from     time.Time // the save that caused it
	names    []string  // files of that save
	out      *order.Outcome
	rerun    bool // of a program that ran before
	back     bool // to the last good one, after a failed start
}

// behind reports whether another program runs than the snapshot is of, as the
// last good one does when a newer one failed to start.
func (m *model) behind() bool { return m.program.running.Key != m.source.made }

// alive reports whether a program runs or is being started.
func (p program) alive() bool { return p.live || p.launching }

// with returns the set with path in it.
func with(set map[string]bool, path string) map[string]bool {
	out := maps.Clone(set)
	if out == nil {
		out = map[string]bool{}
	}
	out[path] = true
	return out
}

// without returns the set without path.
func without(set map[string]bool, path string) map[string]bool {
	if !set[path] {
		return set
	}
	out := maps.Clone(set)
	delete(out, path)
	return out
}

// union joins two lists of names, each name once.
func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, name := range b {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}
