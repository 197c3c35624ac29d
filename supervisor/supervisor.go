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
	"os"
	"sync"
	"time"
)

// Spec says what to run.
type Spec struct {
	Path string   // the program's file
	Args []string // argv, with argv[0]; empty means Path alone
	Dir  string   // "" is the supervisor's own directory
	Env  []string // nil is the supervisor's own environment; HR_GENERATION is added

	// The files are the program's own; nil is the null device.
	Stdin, Stdout, Stderr *os.File
}

// Options configures a Supervisor. The zero value is usable.
type Options struct {
	StopSignal os.Signal     // asks the program to end; nil is SIGTERM
	Grace      time.Duration // from StopSignal to SIGKILL; 0 is 3 s

	// ReadyTimeout bounds the wait for a listening socket. 0 is 2 s for a first
	// generation, 10 s after one that listened, and 50 ms after one that did not.
	ReadyTimeout time.Duration

	// Terminal lets the program have the terminal on standard input when it
	// reads it or changes its modes. Meanwhile Ctrl-C and Ctrl-\ reach the
	// program only (see Generation.HadTerminal), and nobody else may read it.
	Terminal bool
	// OnTerminal is called with true before the program gets the terminal, and
	// with false when it is back with its modes restored. It must not block.
	OnTerminal func(program bool)

	// Log receives one-line notices for the user. nil discards them.
	Log func(format string, args ...any)
}

const (
	// defaultGrace: http.Server.Shutdown of a development server ends well
	// within it, and a program that hangs does not hold the user up for long.
	defaultGrace = 3 * time.Second
	// killWait bounds the wait after SIGKILL: only a process in uninterruptible
	// sleep (a dead NFS server) is not gone by then, and it holds no address.
	killWait = 2 * time.Second
)

// Supervisor owns the current generation.
type Supervisor struct {
	opts Options
	busy chan struct{} // holds a token while Start, Replace or Stop works
	stop chan struct{} // closed by Close
	once sync.Once
	wg   sync.WaitGroup

	terminal *terminal

	mu       sync.Mutex // guards fields below
	closed   bool
	current  *Generation
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
	s := &Supervisor{opts: o, busy: make(chan struct{}, 1), stop: make(chan struct{}), terminal: newTerminal(o)}
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
	g, _, err := s.start(ctx, spec)
	return g, err
}

// Replace ends the current generation, if any, and starts spec. It returns
// when the new generation is ready or has exited (no error: see Done), or when
// ctx ends, which leaves the new generation running.
func (s *Supervisor) Replace(ctx context.Context, spec Spec) (*Generation, Timing, error) {
	var t Timing
	if err := s.acquire(ctx); err != nil {
		return nil, t, err
	}
	defer s.release()
	begin := time.Now()
	if err := s.end(ctx); err != nil {
		return nil, t, err
	}
	t.Stop = time.Since(begin)
	g, took, err := s.start(ctx, spec)
	t.Start = took
	if err != nil {
		return nil, t, err
	}
	begin = time.Now()
	select {
	case <-g.Ready():
	case <-g.Done():
	case <-ctx.Done():
		err = fmt.Errorf("wait for generation %d: %w", g.ID, ctx.Err())
	}
	t.Ready = time.Since(begin)
	return g, t, err
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
	return s.end(ctx)
}

// Kill ends the current generation without grace. It does not wait, except
// that a Stop or Replace under way returns the sooner.
func (s *Supervisor) Kill() {
	if g := s.Current(); g != nil {
		g.killNow()
	}
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
		close(s.stop)
		s.wg.Wait()
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

// start spawns spec as the next generation; the caller holds busy.
func (s *Supervisor) start(ctx context.Context, spec Spec) (*Generation, time.Duration, error) {
	s.mu.Lock()
	s.lastID++
	g := newGeneration(s.lastID)
	s.mu.Unlock()
	before := listeners()
	begin := time.Now()
	if err := s.spawn(ctx, g, spec); err != nil {
		return nil, time.Since(begin), err
	}
	s.mu.Lock()
	s.current = g
	s.mu.Unlock()
	s.childStopped() // it may have stopped before it was the current one
	s.wg.Go(func() { s.watchReady(g, before) })
	return g, g.Started.Sub(begin), nil
}

// end is the stop ladder; the caller holds busy. It runs for a generation that
// has exited, too, because its descendants may not have.
func (s *Supervisor) end(ctx context.Context) error {
	g := s.Current()
	if g == nil || g.empty {
		return nil
	}
	grace, cancel := context.WithTimeout(ctx, s.opts.Grace)
	defer cancel()
	if !g.over() {
		g.remember()
		g.signal(s.opts.StopSignal)
		if err := s.awaitExit(ctx, grace, g); err != nil {
			return err
		}
	}
	// The program is gone; what it left behind has the rest of the grace.
	if left := g.members(); len(left) > 0 {
		g.signalMembers(left, s.opts.StopSignal)
		if !g.awaitEmpty(grace, g.killed) {
			last, cancel := context.WithTimeout(context.Background(), killWait)
			defer cancel()
			g.killAll()
			for !g.awaitEmpty(last, nil) { // killing again reaches what was forked meanwhile
				if last.Err() != nil {
					return fmt.Errorf("stop generation %d: processes %v do not end even when killed", g.ID, g.members())
				}
				g.killAll()
			}
		}
	}
	g.empty = true
	return nil
}

// awaitExit waits for the program, and kills its generation when the grace is
// over or Kill was called.
func (s *Supervisor) awaitExit(ctx, grace context.Context, g *Generation) error {
	select {
	case <-g.Done():
		return nil
	case <-g.killed:
	case <-grace.Done():
		if ctx.Err() == nil {
			s.opts.Log("the program did not end within %v of %v: killing it", s.opts.Grace, s.opts.StopSignal)
		}
	}
	g.killAll()
	select {
	case <-g.Done():
		return nil
	case <-time.After(killWait):
		return fmt.Errorf("stop generation %d: process %d does not end even when killed", g.ID, g.Pid)
	}
}
