package daemon

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/hotreflex/hr/internal/engine"
	"github.com/hotreflex/hr/internal/order"
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
	number  uint64 // names the value of last
	running *flight
	used    time.Time
	users   int // sessions

	checking bool   // a check of the linker's work is to come or under way
	resting  bool   // memory is to be given back after a pause
	crossed  uint64 // functions that the toolchain's linker was last asked about; of the check

	saving sync.Mutex // guards the field below
	saved  *engine.Program
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
		b.save()
	}
}

// save writes the last program to the store, once.
func (b *bench) save() {
	b.saving.Lock()
	defer b.saving.Unlock()
	if p := b.program(); p != nil && p != b.saved {
		b.d.engine.Save(p)
		b.saved = p
	}
}

// tryBuild is the engine's Build; a panic in it costs one build, not the daemon.
func (d *Daemon) tryBuild(ctx context.Context, t *engine.Target, last *engine.Program, hooks engine.Hooks) (prog *engine.Program, out *order.Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			d.opt.Log("panic in a build: %v\n%s", p, debug.Stack())
			err = &protocol.Error{Code: protocol.CodeInternal, Message: fmt.Sprint("a fault of hrd: ", p), Hint: "hrd logs shows where"}
		}
	}()
	return d.engine.Build(ctx, t, last, hooks)
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
