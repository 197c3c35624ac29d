package supervisor

import (
	"context"
	"time"
)

const (
	// firstWait: most servers listen within it; a first generation that does
	// not is taken as a program that listens on nothing.
	firstWait = 2 * time.Second
	// knownWait: a program that listened before will again, however slow its
	// start; the bound only keeps a caller from waiting for ever.
	knownWait = 10 * time.Second
	// silentWait: a program that did not listen last time is ready once it
	// runs; the little wait shows one that exits at once as failed.
	silentWait = 50 * time.Millisecond
	// readyPoll is the first interval between two looks, each some 50 us; it
	// grows by a quarter up to readyPollMax, so that a look is late by a
	// quarter of the time the program took anyway.
	readyPoll    = time.Millisecond
	readyPollMax = 20 * time.Millisecond
	// announced is from the announcement of a listen that the kernel is to do
	// until it is done.
	announced = 50 * time.Microsecond
	// restWait is for the other listeners of a program that has the first:
	// they follow at once, unless the new version has fewer.
	restWait = 200 * time.Millisecond
)

// watchReady marks g ready when it listens on every address that is held, or
// on a new one, or has had its time. Then it looks after the held sockets while
// g lives, and after its death until the next generation.
func (s *Supervisor) watchReady(g *Generation) {
	if s.awaitListen(g) {
		g.markReady()
	}
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	// One that is being ended may have closed its sockets and take long for its
	// last requests: what it had is the next one's.
	ending := g.ending
	for s.handover.current() != handoverPlain {
		select {
		case <-tick.C:
			if s.Current() != g {
				return
			}
			s.handover.sweep(g)
		case <-ending:
			tick.Stop()
			ending = nil
		case <-g.Done():
			s.handover.standIn(g.followed, s.sockets.all(), s.reason)
			return
		}
	}
	if len(s.sockets.all()) > 0 {
		<-g.Done()
		s.handover.standIn(g.followed, s.sockets.all(), s.reason)
	}
}

// awaitListen returns false when g exited before it was ready.
func (s *Supervisor) awaitListen(g *Generation) bool {
	if s.opts.Ready != nil {
		return s.awaitWord(g)
	}
	if !canSeeListeners {
		return true
	}
	s.mu.Lock()
	habit := s.listened
	s.mu.Unlock()
	limit := s.opts.ReadyTimeout
	if limit == 0 {
		limit = map[listening]time.Duration{listenUnknown: firstWait, listenYes: knownWait, listenNo: silentWait}[habit]
	}
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	interval := readyPoll
	if g.trapped() {
		interval = readyPollMax // every listen is announced; but io_uring can do without the call
	}
	look := time.NewTimer(interval)
	defer look.Stop()
	// A held address that the program does not use any more must not delay it
	// for long, and one that it is about to listen on should be waited for.
	var rest <-chan time.Time
	listens := func(all bool) bool {
		s.learn(listenYes)
		if rest == nil && !all {
			rest = time.After(restWait)
		}
		return all
	}
	for {
		select {
		case all := <-g.heard:
			if listens(all) {
				return true
			}
		case <-g.listening:
			interval = readyPoll
			look.Reset(announced)
		case <-look.C:
			if g.isListening() && listens(!s.handover.holds()) {
				return true
			}
			interval = min(interval*5/4, readyPollMax)
			look.Reset(interval)
		case <-rest:
			return true
		case <-deadline.C:
			s.learn(listenNo)
			return true
		case <-g.Done():
			return false
		}
	}
}

// awaitWord leaves the decision to Options.Ready.
func (s *Supervisor) awaitWord(g *Generation) bool {
	limit := s.opts.ReadyTimeout
	if limit == 0 {
		limit = knownWait
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	word := make(chan error, 1)
	s.wg.Go(func() { word <- s.opts.Ready(ctx, g) })
	select {
	case err := <-word:
		if err != nil {
			g.unready <- err
		}
		return err == nil
	case <-g.Done():
		return false
	}
}

func (s *Supervisor) learn(l listening) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listened = l
}
