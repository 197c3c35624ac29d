package daemon

import (
	"context"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/hotreflex/hr/internal/engine"
	"github.com/hotreflex/hr/internal/protocol"
)

// checkAfter is how long nobody must have asked for a build before the
// incremental linker's work is checked: a check takes as long as a full link,
// and a save that comes meanwhile waits for it.
const checkAfter = 3 * time.Second

// restAfter is how long nobody must have asked for a build before memory is given
// back that the next link takes again, in some 15 ms for caddy: whoever
// thinks for longer does not notice those.
const restAfter = 30 * time.Second

// checkLater has the linker check its last relink of a program when there is
// time. One that was wrong is removed, so that nothing starts it again, and the
// next build links from nothing. Once for each set of functions the toolchain's
// linker runs as well, for the errors that only it finds.
func (b *bench) checkLater(t *engine.Target) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.d.linker == nil || b.checking {
		return // the check to come is of whatever was linked last
	}
	b.checking = true
	b.d.flights.Go(func() {
		quiet := b.quiet(b.d.life, checkAfter)
		if quiet {
			b.check(b.d.life, t)
		}
		b.mu.Lock()
		b.checking = false
		rest := quiet && !b.resting
		b.resting = b.resting || rest
		b.mu.Unlock()
		if !rest {
			return
		}
		if b.quiet(b.d.life, restAfter) {
			b.rest(b.d.life, t)
		}
		b.mu.Lock()
		b.resting = false
		b.mu.Unlock()
	})
}

// rest gives back memory: what the check took, which linked the program once
// more, and what was read of the archives.
func (b *bench) rest(ctx context.Context, t *engine.Target) {
	if err := b.d.linker.Rest(ctx, t.Key()); err != nil && ctx.Err() == nil {
		b.d.opt.Log("%v", err)
	}
	debug.FreeOSMemory()
}

func (b *bench) check(ctx context.Context, t *engine.Target) {
	prog := b.program()
	if err := b.d.linker.Idle(ctx, t.Key()); err != nil && ctx.Err() == nil {
		b.d.opt.Log("the last relink was wrong: %v", err)
		os.RemoveAll(filepath.Dir(prog.Artifact.Path))
		b.notify("a check of the incremental linker failed: the next save links anew (" + err.Error() + ")")
		return
	}
	b.d.prepare(t)
	if prog.Reached == b.crossed {
		return
	}
	err := b.d.engine.CrossCheck(ctx, t, prog)
	if ctx.Err() != nil {
		return
	}
	b.crossed = prog.Reached
	if err != nil {
		b.notify("the toolchain's linker refuses this program:\n" + err.Error())
	}
}

// prepare has the incremental linker make ready for the next link.
func (d *Daemon) prepare(t *engine.Target) {
	if d.linker == nil {
		return
	}
	if err := d.linker.Prepare(d.life, t.Key()); err != nil && d.life.Err() == nil {
		d.opt.Log("%v", err) // the next link takes longer
	}
}

// notify tells all sessions of the program.
func (b *bench) notify(text string) {
	b.d.mu.Lock()
	var streams []*stream
	for _, s := range b.d.sessions {
		if s.bench == b && s.stream != nil {
			streams = append(streams, s.stream)
		}
	}
	b.d.mu.Unlock()
	for _, st := range streams {
		st.send(protocol.Event{Notice: text})
	}
}

// quiet waits until nobody has wanted a build for that long.
func (b *bench) quiet(ctx context.Context, long time.Duration) bool {
	for {
		b.mu.Lock()
		left := long - time.Since(b.used)
		if b.running != nil {
			left = long
		}
		b.mu.Unlock()
		if left <= 0 {
			return true
		}
		select {
		case <-time.After(left):
		case <-ctx.Done():
			return false
		}
	}
}
