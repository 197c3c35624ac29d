package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/protocol"
	"github.com/hotreflex/hr/internal/watch"
)

// reflexer is one hr reflex. One goroutine, loop, owns its fields and those of
// its lines; commands run in others, which only send to its channels.
type reflexer struct {
	c     *command
	flags reflexFlags
	dir   string
	lines []*reflexLine
	out   *reflexOutput

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	ends   chan reflexEnd
	exits  chan reflexExit

	watcher *watch.Watcher
	listing *watch.Listing

	turn  *reflexLine   // --sequential: whose command runs
	queue []*reflexLine // and who waits, each once
}

// loop is the life of hr reflex. It returns the exit code.
func (r *reflexer) loop(signals, resized <-chan os.Signal) int {
	if err := r.watch(); err != nil {
		return r.c.fail(err)
	}
	if r.flags.json || r.flags.Verbose {
		r.c.screen.Tell(event.Watching{Dir: r.dir, Lines: len(r.lines)})
	}
	for _, l := range r.lines {
		if l.spec.Service {
			l.asked, l.since = true, time.Now()
			r.advance(l)
		}
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if due := r.due(); due.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(max(0, time.Until(due)))
		}
		select {
		case sig := <-signals:
			return r.onSignal(sig, signals)
		case <-resized:
			r.out.resize()
		case b, ok := <-r.watcher.Batches():
			if ok {
				r.onBatch(b)
			}
		case e := <-r.ends:
			r.onEnd(e)
		case e := <-r.exits:
			e.line.onExit(e)
		case <-timer.C:
			for _, l := range r.lines {
				r.advance(l)
			}
		}
	}
}

// gather makes one run of files that are written one after the other, as by an
// editor's "save all" or a generator: a command that has begun is not taken
// back. A lone save is answered within 20 ms even so.
const gather = 10 * time.Millisecond

// watch begins to watch before it lists: what is written between the two is
// hinted at and compared.
func (r *reflexer) watch() error {
	o := watch.Options{Trees: []string{r.dir}, Source: r.flags.watcher, Gather: gather, Exclude: r.exclude, Log: r.c.screen.Notice}
	w, err := watch.New(o)
	if err != nil {
		if r.flags.watcher == "reflex" {
			return noReflex(err)
		}
		return &protocol.Error{Code: protocol.CodeInternal, Message: err.Error(), Hint: "hr reflex --watcher=poll needs nothing of the system"}
	}
	r.watcher = w
	r.listing = watch.NewListing(r.dir, r.exclude)
	return nil
}

// exclude drops what no line can select.
func (r *reflexer) exclude(path string, dir bool) bool {
	name := r.name(path, dir)
	for _, l := range r.lines {
		if dir && !l.match.Prunes(name) {
			return false
		}
		// A symbolic link to a directory counts as one and is not known as such.
		if !dir && (l.match.Match(name) || l.match.Match(name+"/")) {
			return false
		}
	}
	return true
}

// name is a path as patterns and commands see it.
func (r *reflexer) name(path string, dir bool) string {
	rel := strings.TrimPrefix(strings.TrimPrefix(path, r.dir), string(filepath.Separator))
	rel = filepath.ToSlash(rel)
	if dir {
		rel += "/"
	}
	return rel
}

// onBatch tells each line what it selects.
func (r *reflexer) onBatch(b watch.Batch) {
	changes := r.listing.Update(b)
	for _, l := range r.lines {
		var names []string
		for _, ch := range changes {
			if name := r.name(ch.Path, ch.Dir); l.selects(ch, name) {
				names = append(names, name)
			}
		}
		if len(names) == 0 {
			continue
		}
		l.ask(names, b.First, r.flags.silence)
		r.advance(l)
	}
}

// due is the time at which a line that waits for silence may run, zero if none
// does.
func (r *reflexer) due() time.Time {
	var first time.Time
	for _, l := range r.lines {
		if l.asked && !l.busy && !slices.Contains(r.queue, l) && (first.IsZero() || l.due.Before(first)) {
			first = l.due
		}
	}
	return first
}

// advance runs a line's command if it is asked for and nothing stands against
// it.
func (r *reflexer) advance(l *reflexLine) {
	if !l.asked || l.busy || time.Now().Before(l.due) {
		return
	}
	if r.flags.Sequential {
		if r.turn != nil {
			if !slices.Contains(r.queue, l) {
				r.queue = append(r.queue, l)
			}
			return
		}
		r.turn = l
	}
	run := l.next()
	r.wg.Go(func() {
		e := l.run(r.ctx, run)
		send(r.ctx, r.ends, e)
	})
}

// onEnd takes a finished command over, or a service that was started.
func (r *reflexer) onEnd(e reflexEnd) {
	l := e.line
	l.busy = false
	if e.service != nil {
		l.service = e.service
		r.wg.Go(func() {
			<-e.service.gen.Done()
			e.service.output.drain()
			send(r.ctx, r.exits, reflexExit{l, e.service})
		})
	}
	if r.turn == l {
		r.turn = nil
		if len(r.queue) > 0 {
			next := r.queue[0]
			r.queue = r.queue[1:]
			r.advance(next)
		}
	}
	r.advance(l)
}

// onSignal ends all commands at once and returns the exit code.
func (r *reflexer) onSignal(sig os.Signal, signals <-chan os.Signal) int {
	r.out.farewell(sig)
	r.cancel()
	first := time.Now()
	stopped := make(chan struct{})
	r.wg.Go(func() {
		defer close(stopped)
		r.stopAll()
	})
	for {
		select {
		case <-stopped:
			return signalCode(sig)
		case <-signals:
			if time.Since(first) > onePress {
				for _, l := range r.lines {
					l.sup.Kill()
				}
			}
		}
	}
}

// stopAll ends every command, all of them at the same time.
func (r *reflexer) stopAll() {
	var wg sync.WaitGroup
	for _, l := range r.lines {
		wg.Go(func() { l.end() })
	}
	wg.Wait()
}

func (r *reflexer) close() {
	r.cancel()
	r.stopAll()
	if r.watcher != nil {
		r.watcher.Close()
	}
	r.wg.Wait()
	r.out.close()
}
