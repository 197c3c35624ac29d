package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"github.com/hotreflex/hr/build"
	"github.com/hotreflex/hr/graph"
	"github.com/hotreflex/hr/protocol"
	"github.com/hotreflex/hr/supervisor"
	"github.com/hotreflex/hr/watch"
)

// runVerb is hr run: flags, backend, watcher and child, then the loop.
func runVerb(c *command, args []string) int {
	begin := time.Now()
	var f runFlags
	fs := pflag.NewFlagSet("run", pflag.ContinueOnError)
	f.define(fs)
	if code, ok := c.parse(fs, "run", args); !ok {
		return code
	}
	f.rest, f.dash = fs.Args(), fs.ArgsLenAtDash()
	if err := f.check(); err != nil {
		return c.fail(err)
	}
	job, progArgs, err := f.job()
	if err != nil {
		return c.fail(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 4) // as many as a user sends before hr looks
	signal.Notify(signals, stopSignals...)
	defer signal.Stop(signals)

	b, why, err := connect(ctx, f.noDaemon)
	if err != nil {
		return c.fail(err)
	}
	if why != "" {
		c.screen.notice("working without hrd: %s", why)
	}
	r := &runner{
		c: c, flags: f, job: job, args: progArgs, backend: b, begin: begin,
		signals: signals, results: make(chan result), snapshots: make(chan *graph.Snapshot),
		builtc: make(chan build.Artifact), launches: make(chan launch), ctx: ctx, cancel: cancel,
		report: newReport(job),
	}
	r.sup = supervisor.New(supervisor.Options{Grace: f.grace, Log: c.screen.notice})
	defer r.close()
	return r.loop()
}

// spec is how the program is run: as a user would from this directory.
func (r *runner) spec(a build.Artifact) supervisor.Spec {
	return supervisor.Spec{
		Path:   a.Path,
		Args:   append([]string{filepath.Base(a.Path)}, r.args...),
		Dir:    r.job.Dir,
		Env:    r.job.Env,
		Stdin:  r.c.stdin,
		Stdout: r.c.stdout,
		Stderr: r.c.stderr,
	}
}

// watchFor starts the watcher, or widens it to what the snapshot needs. Before
// the first snapshot the module's tree is watched, so that no save is lost.
func (r *runner) watchFor(s *graph.Snapshot) error {
	trees := []string{}
	if s != nil {
		trees = s.Roots
	} else if _, root := graph.ModulePath(r.job.Dir); root != "" {
		trees = append(trees, root)
	} else {
		trees = append(trees, r.job.Dir)
	}
	var dirs []string
	if s != nil {
		for _, d := range s.WatchDirs() {
			if !withinAny(d, trees) {
				dirs = append(dirs, d)
			}
		}
	}
	if r.watcher != nil && withinAll(trees, r.trees) {
		return r.watcher.Add(dirs...)
	}
	w, err := watch.New(watch.Options{Trees: trees, Dirs: dirs, Source: r.flags.watcher, Log: r.c.screen.notice})
	if err != nil {
		return err
	}
	if r.watcher != nil {
		r.watcher.Close()
	}
	r.watcher, r.trees, r.batches = w, trees, w.Batches()
	return nil
}

// open opens the session in the background; what it says comes through the
// runner's channels.
func (r *runner) open() {
	r.wg.Go(func() {
		s, reply, err := r.backend.client.Open(r.ctx, r.job, r.handler())
		res := result{reply: reply, err: err, session: s, from: r.begin}
		if !r.deliver(res) {
			if s != nil {
				s.Close()
			}
			return
		}
		if err == nil && s != nil {
			s.Rest(r.handler()) // ends with the session
		}
	})
}

// build asks for the program as its source is now; the build before is given up.
func (r *runner) build(from time.Time, names []string) {
	if r.giveUp != nil {
		r.giveUp()
	}
	r.seq++
	seq := r.seq
	var ctx context.Context
	ctx, r.giveUp = context.WithCancel(r.ctx)
	r.building, r.buildNames = true, names
	session := r.session
	r.wg.Go(func() {
		reply, err := session.Build(ctx, seq, r.handler())
		r.deliver(result{seq: seq, reply: reply, err: err, from: from})
	})
}

// handler passes what a stream says to the loop.
func (r *runner) handler() protocol.Handler {
	return protocol.Handler{
		Progress: func(p protocol.Progress) { r.c.screen.progress(p) },
		Built: func(a build.Artifact) {
			select {
			case r.builtc <- a:
			case <-r.ctx.Done():
			}
		},
		Snapshot: func(s *graph.Snapshot) {
			select {
			case r.snapshots <- s:
			case <-r.ctx.Done():
			}
		},
	}
}

func (r *runner) deliver(res result) bool {
	select {
	case r.results <- res:
		return true
	case <-r.ctx.Done():
		return false
	}
}

// close ends everything this process started.
func (r *runner) close() {
	r.cancel()
	if r.session != nil {
		r.session.Close()
	}
	if r.watcher != nil {
		r.watcher.Close()
	}
	r.backend.close()
	r.wg.Wait()
	r.sup.Close()
	r.report.remove()
}

func withinAny(dir string, trees []string) bool {
	for _, t := range trees {
		if rel, err := filepath.Rel(t, dir); err == nil && rel != ".." && !hasDotDot(rel) {
			return true
		}
	}
	return false
}

func withinAll(dirs, trees []string) bool {
	for _, d := range dirs {
		if !withinAny(d, trees) {
			return false
		}
	}
	return true
}

func hasDotDot(rel string) bool {
	return len(rel) >= 3 && rel[:2] == ".." && os.IsPathSeparator(rel[2])
}
