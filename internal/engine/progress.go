package engine

import (
	"context"
	"os"
	"strings"
	"time"
)

// This file tells the user of a long first build how far it is.

// progressEvery is how often a cold build counts what is compiled: four times a
// second looks alive and costs one directory listing.
const progressEvery = 250 * time.Millisecond

// watchProgress reports how many packages are compiled until the returned
// function is called.
func (e *Engine) watchProgress(ctx context.Context, t *Target, rec string, record bool, progress func(done, all int)) (stop func()) {
	if progress == nil || !record {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		all, fresh := -1, 0
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			names, err := os.ReadDir(rec)
			if err != nil {
				continue
			}
			if all < 0 {
				// Only a build that is not over by the first tick pays for this.
				all, fresh = e.countStale(ctx, t)
				fresh += len(names)
			}
			if all > 0 {
				progress(min(all-fresh+len(names), all), all)
			} else {
				progress(len(names), 0)
			}
		}
	}()
	return func() { cancel(); <-done }
}

// countStale asks the go command how many packages the closure has, and how
// many of them its cache lacks; 0 of 0 if it does not know.
func (e *Engine) countStale(ctx context.Context, t *Target) (all, stale int) {
	args := append([]string{"list", "-e", "-deps", "-f", "{{.Stale}}"}, t.job.Flags...)
	out, err := runGo(ctx, t.tool.Go, t.job.Dir, t.job.Env, append(args, t.patterns...)...)
	if err != nil {
		return 0, 0
	}
	return strings.Count(string(out), "\n"), strings.Count(string(out), "true")
}
