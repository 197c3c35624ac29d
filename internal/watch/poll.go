package watch

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	// pollInterval is how late a change may be seen: short enough that a save
	// feels answered, long enough that a thousand stats (about 2 ms) stay
	// under 1 % of a core.
	pollInterval = 250 * time.Millisecond
	// pollShare keeps big trees cheap: a pass takes at most one part in this
	// many of the time.
	pollShare = 20
)

// pollSource compares stat snapshots. It costs nothing until it has a root.
type pollSource struct {
	inbox   *inbox
	exclude func(string, bool) bool
	asked   chan chan struct{} // sync requests
	changed chan struct{}      // one token: roots were added
	done    chan struct{}      // closed by close
	once    sync.Once
	wg      sync.WaitGroup

	mu    sync.Mutex // guards roots and seen
	roots map[root]bool
	seen  map[string]stamp
}

func newPollSource(in *inbox, exclude func(string, bool) bool) *pollSource {
	p := &pollSource{
		inbox:   in,
		exclude: exclude,
		asked:   make(chan chan struct{}),
		changed: make(chan struct{}, 1),
		done:    make(chan struct{}),
		roots:   map[root]bool{},
		seen:    map[string]stamp{},
	}
	p.wg.Go(p.run)
	return p
}

func (p *pollSource) add(r root) { p.begin(r, false) }

// adopt takes over a directory that another source could not watch; found
// says that its files are news to the consumer.
func (p *pollSource) adopt(r root, found bool) { p.begin(r, found) }

func (p *pollSource) begin(r root, found bool) {
	p.mu.Lock()
	if p.roots[r] {
		p.mu.Unlock()
		return
	}
	p.roots[r] = true
	var evs []event
	now := time.Now()
	p.walk(r, func(path string, st stamp) {
		if _, ok := p.seen[path]; !ok && found {
			evs = append(evs, event{path: path, op: opFound, dir: st.mode.IsDir(), at: now})
		}
		p.seen[path] = st
	})
	p.mu.Unlock()
	p.inbox.put(evs...)
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

func (p *pollSource) sync(ctx context.Context) error {
	reply := make(chan struct{})
	select {
	case p.asked <- reply:
	case <-p.done:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-reply:
		return nil
	case <-p.done:
		return errClosed
	}
}

func (p *pollSource) close() error {
	p.once.Do(func() { close(p.done) })
	p.wg.Wait()
	return nil
}

func (p *pollSource) run() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	timer.Stop()
	for {
		var reply chan struct{}
		select {
		case <-p.changed:
		case reply = <-p.asked:
		case <-timer.C:
		case <-p.done:
			return
		}
		start := time.Now()
		active := p.pass(start)
		if reply != nil {
			close(reply)
		}
		if active {
			timer.Reset(max(pollInterval, pollShare*time.Since(start)))
		}
	}
}

// pass compares everything with the last pass; false when nothing is polled.
func (p *pollSource) pass(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.roots) == 0 {
		return false
	}
	var evs []event
	next := make(map[string]stamp, len(p.seen))
	for r := range p.roots {
		p.walk(r, func(path string, st stamp) {
			old, ok := p.seen[path]
			next[path] = st
			switch {
			case !ok:
				evs = append(evs, event{path: path, op: opFound, dir: st.mode.IsDir(), at: now})
			case st.mode.IsDir() && old.mode.IsDir():
				// a directory's own time changes with its entries, which are compared
			case old != st:
				evs = append(evs, event{path: path, op: opModify, at: now})
			}
		})
	}
	for path, old := range p.seen {
		if _, ok := next[path]; !ok {
			evs = append(evs, event{path: path, op: opGone, dir: old.mode.IsDir(), at: now})
		}
	}
	p.seen = next
	p.inbox.put(evs...)
	return true
}

// walk visits r and what it holds. Entries that vanish meanwhile are left out.
func (p *pollSource) walk(r root, visit func(string, stamp)) {
	fi, err := os.Stat(r.path)
	if err != nil {
		return
	}
	visit(r.path, stampFrom(fi))
	p.walkDir(r.path, r.tree, visit)
}

func (p *pollSource) walkDir(dir string, tree bool, visit func(string, stamp)) {
	f, err := os.Open(dir)
	if err != nil {
		return
	}
	list, _ := f.ReadDir(-1) // a short list is compared with the next one
	f.Close()
	for _, d := range list {
		path := filepath.Join(dir, d.Name())
		if p.exclude(path, d.IsDir()) {
			continue
		}
		fi, err := d.Info()
		if err != nil {
			continue
		}
		visit(path, stampFrom(fi))
		if tree && d.IsDir() {
			p.walkDir(path, tree, visit)
		}
	}
}
