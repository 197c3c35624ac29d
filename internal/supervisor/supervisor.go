// Package supervisor runs one program at a time: starts it, tells when it is
// ready, ends it with everything it started, and starts the next generation.
//
// It knows nothing of Go, of builds or of files: it is given a path and
// arguments. It never merges, cuts or copies the program's output, which goes
// to the files it is given. It is used by the front end. Supervisor's methods
// may be called from any goroutine; Start, Replace and Stop exclude each
// other, and Kill cuts any of them short.
//
// What must stay true: a new generation starts only when no process of the old
// one is left, waiting ends with an event and not with a clock, and no process
// outlives the supervisor's own.
package supervisor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Supervisor owns the current generation.
type Supervisor struct {
	opts Options
	busy chan struct{} // holds a token while Start, Replace or Stop works
	stop chan struct{} // closed by Close
	once sync.Once
	wg   sync.WaitGroup

	terminal *terminal
	handover *handover
	guard    guard
	sockets  *activated    // opened by the first start; guarded by busy
	began    chan struct{} // closed when the first generation is about to start, or at Close
	isBegun  sync.Once
	stood    chan struct{} // closed when the stand-in before the first generation has ended

	mu       sync.Mutex // guards fields below
	closed   bool
	standing bool // a stand-in answers, or is about to, before the first generation
	current  *Generation
	leaving  *Generation // the one before, while both run
	down     string      // set by Explain
	lastID   int
	listened listening // what the newest generation that had its time did
}

// listening is what is known about a program's habit to listen.
type listening uint8

const (
	listenUnknown listening = iota
	listenYes
	listenNo
)

var errClosed = errors.New("supervisor: closed")

// New returns a supervisor without a program.
func New(o Options) *Supervisor {
	if o.StopSignal == nil {
		o.StopSignal = defaultStopSignal
	}
	if o.Grace == 0 {
		o.Grace = defaultGrace
	}
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	s := &Supervisor{
		opts: o, busy: make(chan struct{}, 1), stop: make(chan struct{}), began: make(chan struct{}), stood: make(chan struct{}),
		terminal: newTerminal(o), handover: newHandover(o),
	}
	s.adopt()
	return s
}

// Start starts the program. It is an error while a generation runs.
func (s *Supervisor) Start(ctx context.Context, spec Spec) (*Generation, error) {
	if err := s.acquire(ctx); err != nil {
		return nil, err
	}
	defer s.release()
	if g := s.Current(); g != nil && !g.over() {
		return nil, fmt.Errorf("start %s: generation %d is still running", spec.Path, g.ID)
	}
	// What the last one left behind must not meet the next one.
	if err := s.end(ctx, s.Current(), &Timing{}); err != nil {
		return nil, err
	}
	return s.start(ctx, spec, &Timing{})
}

// Replace ends the current generation, if any, and starts spec. It returns
// when the new generation is ready or has exited (no error: see Done). When
// ctx ends or Options.Ready gives up before, the new generation runs on.
func (s *Supervisor) Replace(ctx context.Context, spec Spec) (*Generation, Timing, error) {
	if err := s.acquire(ctx); err != nil {
		return nil, Timing{}, err
	}
	defer s.release()
	if s.opts.Overlap && s.handover.holds() {
		if old := s.Current(); old != nil && !old.over() {
			return s.overlap(ctx, old, spec)
		}
	}
	return s.sequence(ctx, s.Current(), spec)
}

// sequence ends old, then starts spec; the caller holds busy.
func (s *Supervisor) sequence(ctx context.Context, old *Generation, spec Spec) (*Generation, Timing, error) {
	var t Timing
	if err := s.end(ctx, old, &t); err != nil {
		return nil, t, err
	}
	g, err := s.start(ctx, spec, &t)
	if err != nil {
		return nil, t, err
	}
	return g, t, s.await(ctx, g, &t)
}

// overlap starts spec and ends old when the new generation is ready; the
// caller holds busy. Two copies may collide in anything but the sockets, so a
// new one that exits is tried again alone.
func (s *Supervisor) overlap(ctx context.Context, old *Generation, spec Spec) (*Generation, Timing, error) {
	var t Timing
	s.setLeaving(old)
	defer s.setLeaving(nil)
	g, err := s.start(ctx, spec, &t)
	if err != nil {
		return nil, t, err
	}
	err = s.await(ctx, g, &t)
	if g.over() && ctx.Err() == nil {
		if err := s.end(ctx, g, &Timing{}); err != nil {
			return nil, t, err
		}
		return s.sequence(ctx, old, spec)
	}
	if stopErr := s.end(ctx, old, &t); err == nil {
		err = stopErr
	}
	g.answers.restart(g) // what old answered is none of it
	return g, t, err
}

func (s *Supervisor) setLeaving(g *Generation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaving = g
}

// await waits until g is ready, has exited, or ctx ends.
func (s *Supervisor) await(ctx context.Context, g *Generation, t *Timing) error {
	defer func() { t.Ready = time.Since(g.Started) }()
	select {
	case <-g.Ready():
	case <-g.Done():
	case err := <-g.unready:
		return fmt.Errorf("generation %d is not ready: %w", g.ID, err)
	case <-ctx.Done():
		return fmt.Errorf("wait for generation %d: %w", g.ID, ctx.Err())
	}
	return nil
}

// Stop ends the current generation and returns when no process of it is left.
// The end of ctx cuts the grace short, it does not leave the program running.
func (s *Supervisor) Stop(ctx context.Context) error {
	select { // not acquire: an ended ctx must still stop the program
	case s.busy <- struct{}{}:
	case <-s.stop:
		return errClosed
	}
	defer s.release()
	return s.end(ctx, s.Current(), &Timing{})
}

// Kill ends the current generation without grace. It does not wait, except
// that a Stop or Replace under way returns the sooner.
func (s *Supervisor) Kill() {
	s.mu.Lock()
	doomed := []*Generation{s.current, s.leaving}
	s.mu.Unlock()
	for _, g := range doomed {
		if g != nil {
			g.killNow()
		}
	}
}

// Handover tells what a restart does to listening sockets: "full" keeps them
// and drains the old generation, "no-getfd" keeps them and waits for a quiet
// moment, "plain" closes them.
func (s *Supervisor) Handover() string { return s.handover.current() }

// Listens tells whether the newest generation that had its time listened.
func (s *Supervisor) Listens() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listened == listenYes
}

// Explain sets what HTTP clients of held sockets are told while no generation
// lives, as the text of a 503 that begins 2 s after the end of the last one. If
// none lived yet, that is 2 s after the first reason, on Options.Sockets.
func (s *Supervisor) Explain(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = reason
	if reason != "" && len(s.opts.Sockets) > 0 && s.current == nil && !s.standing && !s.closed {
		s.standing = true
		s.wg.Go(s.standInFirst)
	}
}

// standInFirst answers until the first generation starts.
func (s *Supervisor) standInFirst() {
	defer close(s.stood)
	select {
	case s.busy <- struct{}{}:
	case <-s.began:
		return
	}
	err := s.openSockets()
	s.release()
	if err != nil {
		return // the first start says so
	}
	s.handover.standIn(s.began, s.sockets.files, s.reason)
}

func (s *Supervisor) begin() { s.isBegun.Do(func() { close(s.began) }) }

// openSockets opens Options.Sockets once; the caller holds busy.
func (s *Supervisor) openSockets() (err error) {
	if s.sockets == nil && len(s.opts.Sockets) > 0 {
		s.sockets, err = openSockets(s.opts.Sockets)
	}
	return err
}

func (s *Supervisor) reason() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down == "" && s.current != nil && s.current.over() {
		return "the program ended: " + s.current.exit.String()
	}
	return s.down
}

// Current returns the newest generation, running or not, or nil.
func (s *Supervisor) Current() *Generation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

// Close stops the program and waits for the supervisor's goroutines.
func (s *Supervisor) Close() error {
	var err error
	s.once.Do(func() {
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		err = s.Stop(context.Background())
		if g := s.Current(); g != nil {
			g.follow()
		}
		s.begin()
		close(s.stop)
		s.wg.Wait()
		s.handover.close()
		s.guard.close()
		s.sockets.close()
	})
	return err
}

func (s *Supervisor) acquire(ctx context.Context) error {
	select {
	case s.busy <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.stop:
		return errClosed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		<-s.busy
		return errClosed
	}
	return nil
}

func (s *Supervisor) release() { <-s.busy }
