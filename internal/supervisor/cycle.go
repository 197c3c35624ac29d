package supervisor

import (
	"context"
	"fmt"
	"time"
)

// This file is the beginning and the end of one generation.

// start spawns spec as the next generation; the caller holds busy.
func (s *Supervisor) start(ctx context.Context, spec Spec, t *Timing) (*Generation, error) {
	s.mu.Lock()
	s.lastID = max(s.lastID+1, s.opts.FirstID)
	g := newGeneration(s.lastID)
	g.answers.both = s.leaving != nil
	s.mu.Unlock()
	if last := s.Current(); last != nil {
		last.follow()
		if last.over() {
			<-last.watched // nobody else accepts from here on
		}
	}
	s.begin()
	s.mu.Lock()
	standing := s.standing
	s.mu.Unlock()
	if standing {
		<-s.stood
	}
	if err := s.openSockets(); err != nil {
		return nil, err
	}
	s.handover.revive()
	s.handover.watchActivated(g, s.sockets.all())
	begin := time.Now()
	err := s.spawn(ctx, g, spec)
	t.Start = time.Since(begin)
	if err != nil {
		g.answers.stop()
		return nil, err
	}
	s.guard.watch(g.Pid)
	if g.over() {
		s.guard.release(g.Pid) // its own release came too early
	}
	s.mu.Lock()
	s.current = g
	s.mu.Unlock()
	s.childStopped() // it may have stopped before it was the current one
	s.wg.Go(func() {
		defer close(g.watched)
		s.watchReady(g)
	})
	return g, nil
}

// end is the stop ladder; the caller holds busy. It runs for a generation that
// has exited, too, because its descendants may not have.
func (s *Supervisor) end(ctx context.Context, g *Generation, t *Timing) error {
	if g == nil || g.empty {
		return nil
	}
	g.beginEnd()
	if !g.over() {
		t.Drain = s.handover.drain(g)
	}
	begin := time.Now()
	defer func() { t.Stop = time.Since(begin) }()
	grace, cancel := context.WithTimeout(ctx, s.opts.Grace)
	defer cancel()
	if !g.over() {
		if t.Drain == 0 {
			g.members() // a drain has just noted them: who is below the program now is ours
		}
		g.signal(s.opts.StopSignal)
		g.thaw()
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
	s.handover.awaitHangUp(g)
	g.empty = true
	s.guard.release(g.Pid)
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
