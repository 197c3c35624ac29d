package watch

import (
	"slices"
	"time"
)

// The waits, each as short as its case allows. A lone save of an existing
// file that its writer has closed waits for none of them.
const (
	// openWait: a writer that has not closed the file (a log, a database, an
	// editor that keeps it open) is taken as done after this silence.
	openWait = 50 * time.Millisecond
	// goneWait: vim, emacs and JetBrains rename a file away and write it anew;
	// they are back within a few milliseconds.
	goneWait = 20 * time.Millisecond
	// foundWait: a file met by a walk may be half copied, and its close may
	// have come before the watch.
	foundWait = 20 * time.Millisecond
	// freshWait: a new name is often a temporary one (sed -i, gofmt, atomic
	// writers) that is renamed right after it was closed.
	freshWait = 5 * time.Millisecond
	// brokenWait: a closed file that is not whole may be written in two steps;
	// more would keep a real syntax error from the screen for over 10 ms.
	brokenWait = 5 * time.Millisecond
	// burstWait: the silence that ends a burst; writers of many files pause
	// less than this between two.
	burstWait = 15 * time.Millisecond
	// burstPaths: saves of a source file with its test, or a rename, stay
	// below; so few files are one save, more are a burst.
	burstPaths = 4
	// lockWait: git holds index.lock for all of a checkout, and writes a file
	// more often than this; a lock beside silence is one that a crashed git left.
	lockWait = 2 * time.Second
	// lockMost: what others write (a log) must not keep such a lock alive; a
	// checkout of 100,000 files takes no longer.
	lockMost = 30 * time.Second
	// lockPoll: a stat of one name costs a microsecond.
	lockPoll = 5 * time.Millisecond
	// maxWait is the longest time a written path is kept back.
	maxWait = time.Second
	// recentPaths bounds the memory for echoes of what was just reported.
	recentPaths = 64
)

type settleOptions struct {
	Settled func(path string) bool
	Locked  func() bool // a version control lock is held
	Stat    func(path string) stamp
	MaxWait time.Duration
	Gather  time.Duration
	Log     func(string, ...any)
}

// settle decides when pending paths are reported. It is a value of one
// goroutine and takes the time as an argument; it never waits itself.
type settle struct {
	opts    settleOptions
	pending map[string]*entry
	lost    bool
	first   time.Time     // of what is pending
	last    time.Time     // newest event
	emitted time.Time     // newest report
	held    time.Duration // longest that a source kept back what is pending

	lockSince  time.Time // lock seen held while something was due
	lockStale  bool      // this lock is a crashed git's and ignored until released
	lockRetry  time.Time
	recent     map[string]stamp // what the newest report showed
	movedFrom  string           // newest half rename
	movedToken uint32
}

type fileState uint8

const (
	stateAttrib fileState = iota // only mode, owner or times changed
	stateOpen                    // written or created, not closed
	stateClosed                  // complete
	stateGone
)

// entry is a path that changed and was not reported.
type entry struct {
	state   fileState
	created bool // the name did not exist when it became pending
	first   time.Time
	due     time.Time
	waited  bool // was not whole when closed and had its extra time
}

func newSettle(o settleOptions) *settle {
	if o.Settled == nil {
		o.Settled = func(string) bool { return true }
	}
	if o.Locked == nil {
		o.Locked = func() bool { return false }
	}
	if o.Stat == nil {
		o.Stat = stampOf
	}
	if o.MaxWait == 0 {
		o.MaxWait = maxWait
	}
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	return &settle{opts: o, pending: map[string]*entry{}, recent: map[string]stamp{}}
}

// add takes in one event.
func (s *settle) add(ev event) {
	if len(s.pending) == 0 && !s.lost {
		s.first, s.held = ev.at.Add(-ev.held), 0
	}
	s.last = ev.at
	s.held = max(s.held, ev.held)
	if ev.op == opLost {
		s.lost = true
		return
	}
	e := s.pending[ev.path]
	if e == nil {
		e = &entry{first: ev.at, created: ev.op == opCreate && !ev.dir}
		s.pending[ev.path] = e
	}
	switch ev.op {
	case opWhole:
		e.state, e.due, e.waited = stateClosed, ev.at, false
		if e.created {
			e.due = ev.at.Add(freshWait)
		}
		// A rename of a file that stays gone is a refactoring, not a save:
		// report both names together.
		if ev.move != 0 && ev.move == s.movedToken {
			if from := s.pending[s.movedFrom]; from != nil && from.state == stateGone {
				e.due = from.due
			}
		}
	case opCreate, opModify:
		e.state, e.due = stateOpen, ev.at.Add(openWait)
	case opFound:
		e.state, e.due = stateOpen, ev.at.Add(foundWait)
	case opAttrib:
		if e.due.IsZero() {
			e.due = ev.at.Add(openWait)
		}
	case opGone:
		if e.created {
			delete(s.pending, ev.path) // came and went between two reports
			break
		}
		e.state, e.due = stateGone, ev.at.Add(goneWait)
		if ev.move != 0 {
			s.movedFrom, s.movedToken = ev.path, ev.move
		}
	}
	// The longest wait holds for a path that never rests, too.
	if limit := e.first.Add(s.opts.MaxWait); e.due.After(limit) {
		e.due = limit
	}
}

// next is the time at which take may have something, zero for never.
func (s *settle) next() time.Time {
	var due time.Time
	for _, e := range s.pending {
		if due.IsZero() || e.due.Before(due) {
			due = e.due
		}
	}
	if s.lost {
		due = s.first
	}
	if due.IsZero() {
		return due
	}
	if gate := s.gate(); gate.After(due) {
		due = gate
	}
	if s.lockRetry.After(due) {
		due = s.lockRetry
	}
	return due
}

// gate is the time before which nothing is reported because a burst goes on.
func (s *settle) gate() time.Time {
	wait := burstWait
	if !s.lost && len(s.pending) < burstPaths && s.first.Sub(s.emitted) > burstWait {
		if wait = s.opts.Gather; wait == 0 {
			return s.first
		}
	}
	gate := s.last.Add(wait)
	if limit := s.first.Add(s.opts.MaxWait); gate.After(limit) {
		gate = limit
	}
	return gate
}

// take reports what is due at now; with flush, everything that is pending.
func (s *settle) take(now time.Time, flush bool) (Batch, bool) {
	if len(s.pending) == 0 && !s.lost {
		return Batch{}, false
	}
	if !flush {
		if next := s.next(); next.IsZero() || next.After(now) {
			return Batch{}, false
		}
		if s.locked(now) {
			return Batch{}, false
		}
	}
	b := Batch{First: s.first, Held: s.held, Rescan: s.lost}
	stamps := map[string]stamp{}
	for path, e := range s.pending {
		if !flush && e.due.After(now) {
			continue
		}
		st := s.opts.Stat(path)
		if !flush && s.delay(path, e, st, now) {
			continue
		}
		delete(s.pending, path)
		if e.state == stateAttrib && !st.missing() && s.recent[path].same(st) {
			continue // the echo of a save that was reported with this very state
		}
		b.Paths = append(b.Paths, path)
		if len(stamps) < recentPaths {
			stamps[path] = st
		}
	}
	s.lost = false
	s.first = s.oldest(now)
	if len(b.Paths) == 0 && !b.Rescan {
		return Batch{}, false
	}
	s.recent = stamps
	s.emitted = now
	slices.Sort(b.Paths)
	b.Silence = now.Sub(b.First)
	return b, true
}

// delay moves the due time of a file that is not whole and says so.
func (s *settle) delay(path string, e *entry, st stamp, now time.Time) bool {
	if e.state == stateGone || e.state == stateAttrib || !st.regular() {
		return false
	}
	if limit := e.first.Add(s.opts.MaxWait); !now.Before(limit) || e.waited {
		return false
	}
	if s.opts.Settled(path) {
		return false
	}
	wait := openWait
	if e.state == stateClosed {
		wait, e.waited = brokenWait, true
	}
	e.due = now.Add(wait)
	return true
}

// locked says whether a version control lock holds everything back.
func (s *settle) locked(now time.Time) bool {
	if !s.opts.Locked() {
		if s.lockSince.IsZero() && !s.lockStale {
			return false
		}
		// Just released: the burst it covered ends with a silence.
		released := !s.lockSince.IsZero()
		s.lockSince, s.lockStale, s.lockRetry = time.Time{}, false, time.Time{}
		if released && s.last.Add(burstWait).After(now) {
			s.lockRetry = s.last.Add(burstWait)
			return true
		}
		return false
	}
	if s.lockStale {
		return false
	}
	if s.lockSince.IsZero() {
		s.lockSince = now
	}
	silent := now.Sub(s.lockSince)
	if s.last.After(s.lockSince) {
		silent = now.Sub(s.last)
	}
	if held := now.Sub(s.lockSince); silent >= lockWait || held >= lockMost {
		s.opts.Log("index.lock has been held for %v, going on without waiting for git", held.Round(time.Second))
		s.lockSince, s.lockStale, s.lockRetry = time.Time{}, true, time.Time{}
		return false
	}
	s.lockRetry = now.Add(lockPoll)
	return true
}

// oldest is the first event among what stays pending.
func (s *settle) oldest(now time.Time) time.Time {
	first := now
	for _, e := range s.pending {
		if e.first.Before(first) {
			first = e.first
		}
	}
	return first
}
