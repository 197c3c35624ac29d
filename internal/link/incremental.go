package link

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/hotreflex/hr/internal/link/program"
	"github.com/hotreflex/hr/internal/link/symtab"
)

// Options configure an Incremental. The zero value works.
type Options struct {
	// MaxStates is how many programs are kept linked in memory; the one that
	// was used least recently goes first. 0 means 4: a user works on few
	// programs at a time, and one costs 60 to 250 MB.
	MaxStates int
	// Keep is how many programs written last stay where they are; an older one
	// is taken back and patched, which makes writing a matter of the changed
	// pages. 0 means 2: the one that runs and the one before. Negative: written
	// programs are never taken back.
	Keep int
	// Check verifies every relink against the symbols that it was made from
	// and against a link from scratch. It costs a full link each time.
	Check bool
	// Reports is where a failed check leaves its report; empty: nowhere.
	Reports string
}

// Incremental links linux/amd64 programs and keeps what it needs to link the
// next version in a millisecond.
//
// The file at Request.Out never changes once Link has returned, but after
// Options.Keep more links of the same State it may vanish: its blocks become
// part of a newer program. A file that is running, that somebody holds
// (place.Hold) or has given a second name, or that was replaced or touched is
// left alone.
type Incremental struct {
	opt      Options
	archives *symtab.Archives // that programs share

	mu     sync.Mutex // guards fields below
	states map[string]*state
	closed bool
	clock  uint64 // counts links, for the order of use
	stats  counters
}

// state is one program under development.
type state struct {
	busy chan struct{} // holds one token while nobody links
	used uint64        // Incremental.clock at the last use; under Incremental.mu
	refs int           // callers that have it or wait for it; under Incremental.mu

	// Of the holder of the token.
	prog  *program.Program
	files files

	heap, image int64 // sizes for Stats; under Incremental.mu
}

type counters struct {
	links, relinks, checks, mismatches int
}

// NewIncremental returns a linker without any program.
func NewIncremental(opt Options) *Incremental {
	if opt.MaxStates == 0 {
		opt.MaxStates = 4
	}
	if opt.Keep == 0 {
		opt.Keep = 2
	}
	return &Incremental{opt: opt, archives: symtab.NewArchives(), states: map[string]*state{}}
}

// Link writes r.Out. Whatever it does not understand is a *Refusal, and then
// r.Out is as it was.
func (l *Incremental) Link(ctx context.Context, r Request) (Result, error) {
	start := time.Now()
	defer program.HoldFaults()()
	in, err := input(r)
	if err != nil {
		return Result{}, err
	}
	s, err := l.acquire(ctx, r.State)
	if err != nil {
		return Result{}, err
	}
	defer l.release(s)

	mode, err := l.link(s, in)
	if err != nil {
		s.discard()
		return Result{}, err
	}
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	sum, err := s.files.write(r.Out, r.Seal, s.prog.Image, l.opt.Keep)
	if err != nil {
		return Result{}, fmt.Errorf("link: write program: %w", err)
	}
	l.account(s, mode)
	return Result{Linker: "incremental", Mode: string(mode), Took: time.Since(start), Reached: s.prog.Reached(), Sum: sum}, nil
}

// link brings s.prog up to date with in.
func (l *Incremental) link(s *state, in program.Input) (program.Mode, error) {
	if s.prog != nil && !s.prog.Accepts(in) {
		s.discard()
	}
	mode := program.Full
	var err error
	if s.prog != nil {
		// What a relink cannot do, a link from nothing may.
		if mode, err = s.prog.Relink(in); err != nil {
			s.discard()
			mode = program.Full
		}
	}
	if s.prog == nil {
		s.prog, err = program.New(in, l.archives)
	}
	if err != nil {
		return "", &Refusal{Reason: err.Error()}
	}
	if l.opt.Check {
		if err := l.check(s); err != nil {
			return "", err
		}
	}
	return mode, nil
}

// acquire takes the state of a key for the caller alone, until release.
func (l *Incremental) acquire(ctx context.Context, key string) (*state, error) {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil, &Refusal{Reason: "linker is closed"}
	}
	s := l.states[key]
	if s == nil {
		s = &state{busy: make(chan struct{}, 1)}
		s.busy <- struct{}{}
		l.states[key] = s
	}
	l.clock++
	s.used = l.clock
	s.refs++
	l.mu.Unlock()
	select {
	case <-s.busy:
		l.mu.Lock()
		closed := l.closed
		l.mu.Unlock()
		if closed {
			l.release(s)
			return nil, &Refusal{Reason: "linker is closed"}
		}
		return s, nil
	case <-ctx.Done():
		l.drop(s)
		return nil, ctx.Err()
	}
}

func (l *Incremental) release(s *state) {
	s.busy <- struct{}{}
	l.drop(s)
}

// drop gives up a reference, and frees states that were used least recently
// until there are few enough. Those in use stay; the last user comes by here.
func (l *Incremental) drop(s *state) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.refs--
	if s.refs == 0 && s.prog == nil {
		// It was refused, or did not pass a check: nothing of it is in memory.
		maps.DeleteFunc(l.states, func(_ string, x *state) bool { return x == s })
	}
	for len(l.states) > l.opt.MaxStates {
		oldest := ""
		for key, s := range l.states {
			if s.refs == 0 && (oldest == "" || s.used < l.states[oldest].used) {
				oldest = key
			}
		}
		if oldest == "" {
			return
		}
		l.states[oldest].discard()
		delete(l.states, oldest)
	}
}

// Prepare writes what the next link of a state would have to write else: copies
// of the program that it can patch. It is for the time after a link.
func (l *Incremental) Prepare(ctx context.Context, key string) error {
	return l.with(ctx, key, func(s *state) error { return s.files.prepare(s.prog.Image, l.opt.Keep) })
}

// Idle does what can wait for the program of a state: it verifies it, and lays it
// out anew if little room is left for growth. It returns the difference that
// verification has found; the program is linked from nothing then.
func (l *Incremental) Idle(ctx context.Context, key string) error {
	return l.with(ctx, key, func(s *state) error {
		if err := l.check(s); err != nil {
			s.discard()
			return err
		}
		if s.prog.Crowded() {
			if err := s.prog.LayOutAgain(); err != nil {
				s.discard()
			}
		}
		return nil
	})
}

// Rest lets go of memory that the program of a state does not need until its next
// link, which takes some longer for it. It is for a long pause.
func (l *Incremental) Rest(ctx context.Context, key string) error {
	return l.with(ctx, key, func(s *state) error {
		s.prog.Release()
		return nil
	})
}

// with calls f with the state of a key if there is a program in it.
func (l *Incremental) with(ctx context.Context, key string, f func(*state) error) error {
	l.mu.Lock()
	known := l.states[key] != nil
	l.mu.Unlock()
	if !known {
		return nil
	}
	s, err := l.acquire(ctx, key)
	if err != nil {
		return err
	}
	defer l.release(s)
	if s.prog == nil {
		return nil
	}
	return f(s)
}

// discard frees the program; the next link starts from nothing.
func (s *state) discard() {
	if s.prog != nil {
		s.prog.Close()
		s.prog = nil
	}
	s.files.discard()
}

func (l *Incremental) account(s *state, mode program.Mode) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.links++
	if mode == program.Relink {
		l.stats.relinks++
	}
	s.heap, s.image = s.prog.HeapBytes(), int64(len(s.prog.Image.B))
}

// Stats are figures for status displays.
type Stats struct {
	States     int   // programs in memory
	Archives   int   // that they are made of; one that several have counts once
	HeapBytes  int64 // estimated heap of all of them, images included
	ImageBytes int64 // of that, images
	Links      int   // programs written
	Relinks    int   // of those, by relinking
	Checks     int   // verifications made
	Mismatches int   // verifications that found a difference
}

// Stats returns the present figures.
func (l *Incremental) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	st := Stats{
		States: len(l.states), Links: l.stats.links, Relinks: l.stats.relinks,
		Checks: l.stats.checks, Mismatches: l.stats.mismatches,
		Archives: l.archives.Len(), HeapBytes: l.archives.HeapBytes(),
	}
	for _, s := range l.states {
		st.HeapBytes += s.heap
		st.ImageBytes += s.image
	}
	return st
}

// Close waits for links under way and frees all programs. Files stay.
func (l *Incremental) Close() {
	l.mu.Lock()
	l.closed = true
	states := l.states
	l.states = map[string]*state{}
	l.mu.Unlock()
	for _, s := range states {
		<-s.busy
		s.discard()
		s.busy <- struct{}{}
	}
	runtime.GC()
	debug.FreeOSMemory()
}
