package supervisor

import "time"

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
)

// watchReady marks g ready when a process of it listens, or has had its time.
// before holds the sockets that listened before it was started.
func (s *Supervisor) watchReady(g *Generation, before map[uint64]bool) {
	if !canSeeListeners {
		g.markReady()
		return
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
	look := time.NewTimer(interval)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			if g.listensSince(before) {
				s.learn(listenYes)
				g.markReady()
				return
			}
			interval = min(interval*5/4, readyPollMax)
			look.Reset(interval)
		case <-deadline.C:
			s.learn(listenNo)
			g.markReady()
			return
		case <-g.Done():
			return
		}
	}
}

func (s *Supervisor) learn(l listening) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listened = l
}
