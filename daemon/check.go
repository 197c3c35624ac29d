package daemon

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/hotreflex/hr/build"
)

// checkAfter is how long nobody must have asked for a build before the
// incremental linker's work is checked: a check takes as long as a full link,
// and a save that comes meanwhile waits for it.
const checkAfter = 3 * time.Second

// checkLater has the linker check its last relink of a program when there is
// time. One that was wrong is removed, so that nothing starts it again, and the
// next build links from nothing.
func (b *bench) checkLater(key string, a build.Artifact) {
	if b.d.linker == nil {
		return
	}
	b.mu.Lock()
	if b.checking {
		b.mu.Unlock()
		return // the check to come is of whatever was linked last
	}
	b.checking = true
	b.mu.Unlock()
	b.d.flights.Go(func() {
		defer func() {
			b.mu.Lock()
			b.checking = false
			b.mu.Unlock()
		}()
		if !b.quiet(b.d.life) {
			return
		}
		if err := b.d.linker.Verify(b.d.life, key); err != nil && b.d.life.Err() == nil {
			b.d.opt.Log("the last relink was wrong: %v", err)
			os.RemoveAll(filepath.Dir(a.Path))
		}
	})
}

// quiet waits until nobody has wanted a build for checkAfter.
func (b *bench) quiet(ctx context.Context) bool {
	for {
		b.mu.Lock()
		left := checkAfter - time.Since(b.used)
		if b.running != nil {
			left = checkAfter
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
