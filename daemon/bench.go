package daemon

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/hotreflex/hr/internal/engine"
	"github.com/hotreflex/hr/internal/protocol"
)

// keepProgram is how long a program stays in memory after its last session: a
// user who restarts hr within a coffee finds it warm; later the store has it.
const keepProgram = 15 * time.Minute

// keepLinked is how long the incremental linker holds a program after its last
// session: it is the larger part of the daemon's memory, and loading it again
// takes a fraction of a second beside the running program.
const keepLinked = 10 * time.Second

// bench is where one program is built: one build at a time, for all sessions
// that want it.
type bench struct {
	d *Daemon

	mu      sync.Mutex // guards fields below
	last    *engine.Program
	number  uint64 // counts the values of last
	running *flight
	used    time.Time
	users   int // sessions

	checking bool   // a check of the linker's work is to come or under way
	resting  bool   // memory is to be given back after a pause
	crossed  uint64 // functions that the toolchain's linker was last asked about; of the check
}

// flight is one build and those who wait for it.
type flight struct {
	target  string // key of what it builds
	state   string // of the inputs when it began
	cancel  context.CancelFunc
	done    chan struct{} // closed when the result is there
	hooks   *hookSet
	waiting int  // guarded by bench.mu
	stale   bool // superseded; guarded by bench.mu

	prog *engine.Program
	out  *engine.Outcome
	err  error
	from uint64 // number of the program that out starts from, 0 if none
	to   uint64 // number of prog
}

// build brings the program up to date. A build that runs already is joined if
// the inputs are as it found them, and superseded if they are not: then its
// waiters get the result of the newer one.
func (b *bench) build(ctx context.Context, t *engine.Target, hooks engine.Hooks) (*flight, error) {
	for {
		f := b.join(t, hooks)
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
		if stale && errors.Is(f.err, context.Canceled) {
			continue
		}
		return f, f.err
	}
}

// join returns the flight to wait for, a new one if need be.
func (b *bench) join(t *engine.Target, hooks engine.Hooks) *flight {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used = time.Now()
	if f := b.running; f != nil && !f.stale {
		// A new go.work or GOFLAGS makes another target of the same words.
		if f.target == t.Key() && (b.last == nil || f.state == b.last.Snap.State()) {
			f.waiting++
			f.hooks.add(hooks)
			return f
		}
		f.stale = true
		f.cancel()
	}
	ctx, cancel := context.WithCancel(b.d.life)
	f := &flight{target: t.Key(), cancel: cancel, done: make(chan struct{}), hooks: &hookSet{}, waiting: 1}
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
			b.number++
		}
		b.last, f.to = f.prog, b.number
	}
	if b.running == f {
		b.running = nil
	}
	b.used = time.Now()
	b.mu.Unlock()
	close(f.done)
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

// saveAfter is how long a new program is left to start before it is written
// down, which takes some 10 ms of one of its processors for caddy.
const saveAfter = 200 * time.Millisecond

// saveLater writes a program to the store unless a newer one is there by then.
func (b *bench) saveLater(prog *engine.Program) {
	select {
	case <-time.After(saveAfter):
	case <-b.d.life.Done():
	}
	if b.program() == prog && !b.d.isDraining() {
		b.d.engine.Save(prog)
	}
}

// tryBuild is the engine's Build; a panic in it costs one build, not the daemon.
func (d *Daemon) tryBuild(ctx context.Context, t *engine.Target, last *engine.Program, hooks engine.Hooks) (prog *engine.Program, out *engine.Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			d.opt.Log("panic in a build: %v\n%s", p, debug.Stack())
			err = &protocol.Error{Code: protocol.CodeInternal, Message: fmt.Sprint("a fault of hrd: ", p), Hint: "hrd logs shows where"}
		}
	}()
	return d.engine.Build(ctx, t, last, hooks)
}

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

// program returns the last program that was built, nil if there is none.
func (b *bench) program() *engine.Program {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last
}

func (b *bench) busy() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.running != nil
}

// idle returns how long nobody has needed the program; 0 while somebody does.
func (b *bench) idle() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.users > 0 || b.running != nil {
		return 0
	}
	return time.Since(b.used)
}

func (b *bench) use(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.users += n
	b.used = time.Now()
}

// hookSet passes what a flight tells on to all who wait for it.
type hookSet struct {
	mu    sync.Mutex // guards fields below
	hooks []engine.Hooks
	built *engine.Artifact
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
		Built: func(a engine.Artifact) {
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
