package daemon

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/hotreflex/hr/internal/engine"
	"github.com/hotreflex/hr/internal/order"
)

// flight is one build and those who wait for it.
type flight struct {
	target  string // key of what it builds
	state   string // of the inputs when it began
	began   time.Time
	cancel  context.CancelFunc
	done    chan struct{} // closed when the result is there
	hooks   *hookSet
	waiting int  // guarded by bench.mu
	stale   bool // superseded; guarded by bench.mu

	prog *engine.Program
	out  *order.Outcome
	err  error
	from uint64 // number of the program that out starts from, 0 if none
	to   uint64 // number of prog
}

// build brings the program up to date, as its source was when it is called or
// later. A build that runs already is joined if the inputs are as it found them,
// and superseded if they are not: then its waiters get the result of the newer
// one. Whether they are is not known of a first build, and never for certain: so
// who joins one that began before gets its result only if it is not out of date.
func (b *bench) build(ctx context.Context, t *engine.Target, hooks engine.Hooks) (*flight, error) {
	asked := time.Now()
	for {
		f := b.join(t, hooks, asked)
		linked := f.began.Before(asked) && f.hooks.hasBuilt()
		select {
		case <-f.done:
		case <-ctx.Done():
			b.giveUp(f)
			return &flight{}, ctx.Err()
		}
		b.mu.Lock()
		f.waiting--
		stale := f.stale
		b.mu.Unlock()
		switch {
		case stale && errors.Is(f.err, context.Canceled):
		case f.began.Before(asked) && (f.err != nil || !f.prog.Current()):
		case linked && f.err == nil:
			return f.known(), nil
		default:
			return f, f.err
		}
	}
}

// known is the flight for those who asked when its program was linked already:
// for them nothing was built.
func (f *flight) known() *flight {
	out := *f.out
	out.Fallback, out.Linker, out.LinkMode, out.Packages = "", "", "", nil
	out.Compiled, out.CutOff, out.Reused = 0, 0, 0
	out.Phases, out.Built = order.Phases{}, false
	return &flight{target: f.target, began: f.began, prog: f.prog, out: &out, from: f.from, to: f.to}
}

// join returns the flight to wait for, a new one if need be.
func (b *bench) join(t *engine.Target, hooks engine.Hooks, asked time.Time) *flight {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used = time.Now()
	if f := b.running; f != nil && !f.stale {
		// A new go.work or GOFLAGS makes another target of the same words.
		if f.target == t.Key() && (b.last == nil || f.state == b.last.Snap.State()) {
			f.waiting++
			if f.began.Before(asked) {
				hooks.Built = nil // it may be of older source
			}
			f.hooks.add(hooks)
			return f
		}
		f.stale = true
		f.cancel()
	}
	ctx, cancel := context.WithCancel(b.d.life)
	f := &flight{target: t.Key(), began: time.Now(), cancel: cancel, done: make(chan struct{}), hooks: &hookSet{}, waiting: 1}
	f.hooks.add(hooks)
	if b.last != nil {
		f.state = b.last.Snap.State()
	}
	before := b.running
	b.running = f
	b.d.flights.Go(func() { b.fly(ctx, f, before, t) })
	return f
}

// fly builds once the flight before has landed: a superseded one ends in the
// time that killing a compiler takes.
func (b *bench) fly(ctx context.Context, f, before *flight, t *engine.Target) {
	defer f.cancel()
	if before != nil {
		<-before.done
	}
	b.mu.Lock()
	last := b.last
	f.from = b.number
	b.mu.Unlock()
	f.prog, f.out, f.err = b.d.tryBuild(ctx, t, last, f.hooks.all())
	b.d.count(f.out, f.err)
	b.mu.Lock()
	if f.err == nil {
		if f.prog != b.last {
			b.number = newNumber()
		}
		b.last, f.to = f.prog, b.number
	}
	if b.running == f {
		b.running = nil
	}
	b.used = time.Now()
	b.mu.Unlock()
	close(f.done)
	b.d.engine.Sweep(t, f.prog)
	if f.err == nil && f.prog != last {
		b.saveLater(f.prog)
		if f.out.Phases.GoBuild > 0 {
			b.d.engine.Warm(b.d.life, t, f.prog)
			b.d.prepare(t)
		}
		if f.out.Linker == "incremental" {
			b.checkLater(t)
		}
	}
}

// newNumber names a program. It is drawn: a client that comes from another
// daemon must not hold a number that means something here.
func newNumber() uint64 { return rand.Uint64()>>1 + 1 }

// giveUp leaves a flight; the last one out cancels it, unless the program is
// linked already and only what the next start needs is still being learned.
func (b *bench) giveUp(f *flight) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f.waiting--; f.waiting == 0 && !f.hooks.hasBuilt() {
		f.stale = true
		f.cancel()
	}
}

// hookSet passes what a flight tells on to all who wait for it.
type hookSet struct {
	mu    sync.Mutex // guards fields below
	hooks []engine.Hooks
	built *order.Artifact
}

// add lets another one listen; what it missed is told at once.
func (h *hookSet) add(hooks engine.Hooks) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hooks = append(h.hooks, hooks)
	if h.built != nil && hooks.Built != nil {
		hooks.Built(*h.built)
	}
}

func (h *hookSet) hasBuilt() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.built != nil
}

func (h *hookSet) all() engine.Hooks {
	return engine.Hooks{
		Progress: func(done, all int) {
			h.mu.Lock()
			defer h.mu.Unlock()
			for _, k := range h.hooks {
				if k.Progress != nil {
					k.Progress(done, all)
				}
			}
		},
		Built: func(a order.Artifact) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.built = &a
			for _, k := range h.hooks {
				if k.Built != nil {
					k.Built(a)
				}
			}
		},
	}
}
