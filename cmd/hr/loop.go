package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/hotreflex/hr/astcheck"
	"github.com/hotreflex/hr/build"
	"github.com/hotreflex/hr/graph"
	"github.com/hotreflex/hr/protocol"
	"github.com/hotreflex/hr/supervisor"
	"github.com/hotreflex/hr/watch"
)

// runner is one hr run. One goroutine, loop, owns its fields; the others only
// send to its channels.
type runner struct {
	c       *command
	flags   runFlags
	job     build.Job
	args    []string
	backend *backend
	sup     *supervisor.Supervisor
	report  *report
	begin   time.Time

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	signals   <-chan os.Signal
	results   chan result
	snapshots chan *graph.Snapshot
	builtc    chan build.Artifact
	batches   <-chan watch.Batch
	exited    <-chan struct{} // of the current generation; nil if none lives

	watcher *watch.Watcher
	trees   []string

	session    *protocol.Session
	snap       *graph.Snapshot // nil until the first build is through
	seq        uint64
	building   bool
	buildNames []string
	giveUp     context.CancelFunc
	queued     bool // a batch came before there was a session to build with

	gen      *supervisor.Generation
	running  build.Artifact // what gen runs, or is about to
	launches chan launch
	launch   context.CancelFunc // of the start under way, nil if none is
	next     *launch            // what to start when that is through

	broken    map[string]bool
	failing   bool              // the last build failed
	told      map[string]string // file -> last line about it
	toldTimes map[string]int
	stops     int // signals received
	exit      int
}

// result is the end of a build.
type result struct {
	seq     uint64
	session *protocol.Session // of the first build only
	reply   *protocol.Reply
	err     error
	from    time.Time // the event that caused it
}

// loop is the life of hr run.
func (r *runner) loop() int {
	r.broken, r.told, r.toldTimes = map[string]bool{}, map[string]string{}, map[string]int{}
	r.building = true
	r.open() // first: what follows runs while the daemon works
	if err := r.watchFor(nil); err != nil {
		r.c.screen.notice("cannot watch yet: %v", err)
	}
	for {
		select {
		case sig := <-r.signals:
			if code, done := r.onSignal(sig); done {
				return code
			}
		case <-r.exited:
			if code, done := r.onExit(); done {
				return code
			}
		case a := <-r.builtc:
			if r.gen == nil {
				r.start(launch{artifact: a, from: r.begin})
			}
		case l := <-r.launches:
			if code, done := r.onLaunch(l); done {
				return code
			}
		case s := <-r.snapshots:
			r.onSnapshot(s)
		case res := <-r.results:
			if code, done := r.onResult(res); done {
				return code
			}
		case b, ok := <-r.batches:
			if ok {
				r.onBatch(b)
			}
		}
	}
}

// onSnapshot takes a new picture over. What changed between its making and now
// is found by comparing every input.
func (r *runner) onSnapshot(s *graph.Snapshot) {
	first := r.snap == nil
	r.snap = s
	if err := r.watchFor(s); err != nil {
		r.c.screen.notice("cannot watch everything: %v", err)
	}
	if first && !r.building {
		r.onBatch(watch.Batch{First: time.Now(), Rescan: true})
	}
}

// onBatch judges what was saved and builds if it matters.
func (r *runner) onBatch(b watch.Batch) {
	if r.snap == nil {
		r.queue(b)
		return
	}
	changes := r.judge(b)
	var build_, broken []graph.Change
	mended := false
	for _, ch := range changes {
		switch {
		case ch.Verdict == astcheck.Broken:
			broken = append(broken, ch)
		case r.matters(ch):
			build_ = append(build_, ch)
			delete(r.broken, ch.Path)
		default:
			mended = mended || r.broken[ch.Path]
			delete(r.broken, ch.Path)
		}
	}
	for _, ch := range broken {
		r.broken[ch.Path] = true
		r.showBroken(ch, b)
	}
	defer r.report.decide(changes) // for hr why: after the build has been asked for
	switch {
	case len(r.broken) > 0:
		// Nothing can be built; a build in flight may read the broken file.
		r.drop()
	case len(build_) > 0 || r.building || r.failing:
		r.ask(b, build_, changes)
	case mended:
		r.c.screen.say("restored", green, "parses again: "+r.back(), nil)
	default:
		r.showNothing(changes, b)
	}
}

// judge returns a verdict for every path of the batch. A directory stands for
// all below it: then every input is compared.
func (r *runner) judge(b watch.Batch) []graph.Change {
	rescan := b.Rescan
	var changes []graph.Change
	for _, path := range b.Paths {
		if fi, err := os.Lstat(path); err == nil && fi.IsDir() {
			rescan = true
			continue
		}
		changes = append(changes, r.snap.Judge(path))
	}
	if rescan || slices.ContainsFunc(b.Paths, r.snap.Holds) {
		for _, ch := range r.snap.Scan() {
			if !ch.Touched() && !slices.ContainsFunc(changes, func(c graph.Change) bool { return c.Path == ch.Path }) {
				changes = append(changes, ch)
			}
		}
	}
	return changes
}

// matters tells whether a change is worth a build.
func (r *runner) matters(ch graph.Change) bool {
	if ch.Verdict == astcheck.Same {
		return r.flags.noop == "restart" && !ch.Touched()
	}
	return ch.Verdict > astcheck.Same
}

// ask requests a build. Before there is a session, the wish is kept.
func (r *runner) ask(b watch.Batch, reasons, all []graph.Change) {
	if len(reasons) == 0 && !r.building && r.failing {
		// An undo of what failed: the program that runs is right again.
		if !r.anyNews() {
			r.failing = false
			r.c.screen.say("restored", green, r.back(), nil)
			return
		}
	}
	if len(reasons) == 0 && r.building && onlyUnused(all) {
		r.showNothing(all, b)
		return
	}
	if r.session == nil {
		r.queued = true
		return
	}
	r.build(b.First, names(reasons))
}

// queue remembers that something was saved while nothing is known yet.
func (r *runner) queue(b watch.Batch) {
	if r.building || r.session == nil {
		r.queued = true
		return
	}
	r.build(b.First, baseNames(b.Paths))
}

// anyNews compares every input with the snapshot.
func (r *runner) anyNews() bool {
	return slices.ContainsFunc(r.snap.Scan(), func(c graph.Change) bool {
		return c.Verdict > astcheck.Same
	})
}

// drop gives up the build in flight.
func (r *runner) drop() {
	if r.giveUp != nil {
		r.giveUp()
		r.giveUp = nil
	}
	if r.session != nil {
		r.building = false
	}
}

// onResult takes a finished build over.
func (r *runner) onResult(res result) (code int, done bool) {
	r.c.screen.done()
	if res.session != nil {
		r.session = res.session
	}
	if res.seq < r.seq {
		return 0, false // superseded
	}
	r.building = false
	if res.err != nil {
		return r.onFailure(res)
	}
	r.failing = false
	out := res.reply.Outcome
	if r.snap != nil && !out.Reloaded {
		r.snap = r.snap.WithFiles(out.Changes)
	}
	r.report.built(out)
	for _, w := range out.Warnings {
		r.c.screen.notice("%s", w)
	}
	if out.Text != "" {
		r.c.screen.text("output", out.Text, nil)
	}
	switch {
	case r.alive() && res.seq == 0:
		// It runs since the go command had linked it; now it has its own name.
		r.running = out.Artifact
	case r.alive() && out.Artifact.Key == r.running.Key:
		r.c.screen.say("unchanged", dim, join(r.buildNames)+": the program is the same, nothing to restart", out)
	default:
		r.start(launch{artifact: out.Artifact, from: res.from, out: out, names: r.buildNames})
	}
	if r.queued {
		r.queued = false
		r.build(time.Now(), nil)
	}
	return 0, false
}

// onFailure shows why there is no new program. The one that runs stays.
func (r *runner) onFailure(res result) (code int, done bool) {
	if errors.Is(res.err, context.Canceled) {
		return 0, false
	}
	var f *protocol.Failure
	if !errors.As(res.err, &f) {
		if protocol.Gone(res.err) && r.backend.local == nil {
			r.goOnAlone()
			return 0, false
		}
		if r.gen == nil {
			return r.c.fail(res.err), true
		}
		r.failing = true
		r.c.screen.fail(protocol.AsError(res.err))
		return 0, false
	}
	if f.Cause.Code == protocol.CodeCanceled {
		return 0, false
	}
	r.failing = true
	r.report.failed(f)
	r.c.screen.fail(f.Cause)
	if f.Cause.Code == protocol.CodeUsage || f.Cause.Code == protocol.CodeNotFound {
		if r.gen == nil {
			return exitUsageOr(f.Cause), true
		}
	}
	if r.alive() {
		r.c.screen.say("kept", dim, "the program of "+r.number()+" keeps running", nil)
	} else {
		r.c.screen.say("waiting", dim, "waiting for a change", nil)
		r.exit = exitBuild
	}
	if r.queued {
		r.queued = false
		r.build(time.Now(), nil)
	}
	return 0, false
}

func exitUsageOr(e *protocol.Error) int {
	if e.Code == protocol.CodeUsage {
		return exitUsage
	}
	return exitFailed
}

// goOnAlone replaces a daemon that died by the same code in this process.
func (r *runner) goOnAlone() {
	b, err := localBackend()
	if err != nil {
		r.c.screen.fail(protocol.AsError(err))
		return
	}
	r.c.screen.notice("hrd is gone: going on without it")
	if r.session != nil {
		r.session.Close()
		r.session = nil
	}
	r.backend.close()
	r.backend = b
	r.building, r.begin = true, time.Now()
	r.open()
}

// launch is one start of an artifact in place of the generation before, and
// how it went.
type launch struct {
	artifact build.Artifact
	from     time.Time // the event that caused it
	names    []string  // files of that event
	out      *build.Outcome

	begin  time.Time
	gen    *supervisor.Generation
	timing supervisor.Timing
	err    error
}

// start begins a launch. One that is under way is cut short: the supervisor ends
// what it has started before it starts anew.
func (r *runner) start(l launch) {
	r.running = l.artifact
	if r.launch != nil {
		r.launch()
		r.next = &l
		return
	}
	ctx, cancel := context.WithCancel(r.ctx)
	r.launch, l.begin = cancel, time.Now()
	r.exited = nil // the old generation's end is wanted now
	r.wg.Go(func() {
		defer cancel()
		l.gen, l.timing, l.err = r.sup.Replace(ctx, r.spec(l.artifact))
		select {
		case r.launches <- l:
		case <-r.ctx.Done():
		}
	})
}

// onLaunch takes a finished start over.
func (r *runner) onLaunch(l launch) (code int, done bool) {
	r.launch = nil
	if l.gen != nil {
		r.gen, r.exited = l.gen, l.gen.Done()
		r.report.started(l.gen.ID, l.gen.Pid)
	}
	if r.next != nil {
		next := *r.next
		r.next = nil
		r.start(next)
		return 0, false
	}
	if l.err != nil {
		r.c.screen.fail(protocol.AsError(l.err))
		return 0, false
	}
	r.showStart(l)
	return 0, false
}

// alive tells that a program runs or is being started.
func (r *runner) alive() bool { return r.exited != nil || r.launch != nil }

// onExit tells that the program ended by itself.
func (r *runner) onExit() (code int, done bool) {
	r.exited = nil
	e := r.gen.Exit()
	r.exit = e.Code
	if r.stops > 0 {
		return r.exit, true
	}
	r.c.screen.say("exited", yellow, fmt.Sprintf("the program %s; waiting for a change", e), map[string]any{"code": e.Code})
	return 0, false
}

// onSignal stops the program and hr: gracefully at first, at once the second
// time.
func (r *runner) onSignal(sig os.Signal) (code int, done bool) {
	r.stops++
	r.drop()
	r.next = nil
	if r.launch != nil {
		r.launch()
		l := <-r.launches
		r.launch = nil
		if l.gen != nil {
			r.gen, r.exited = l.gen, l.gen.Done()
		}
	}
	if r.exited == nil {
		if r.exit != 0 {
			return r.exit, true
		}
		return signalCode(sig), true
	}
	gen, first := r.gen, time.Now()
	r.wg.Go(func() { r.sup.Stop(context.WithoutCancel(r.ctx)) })
	for {
		select {
		case <-gen.Done():
			return gen.Exit().Code, true
		case <-r.signals:
			if time.Since(first) > onePress {
				r.sup.Kill()
				return exitInterrupted, true
			}
		}
	}
}

// onePress is how close together two signals count as one: a wrapper such as
// timeout(1) signals its child and then its whole group.
const onePress = 300 * time.Millisecond

func (r *runner) number() string {
	if r.gen == nil {
		return "#0"
	}
	return fmt.Sprintf("#%d", r.gen.ID)
}

func (r *runner) back() string {
	if r.alive() {
		return "the source is again that of " + r.number() + ", which runs"
	}
	return "the source is again that of the last program"
}

func names(changes []graph.Change) []string {
	var out []string
	for _, c := range changes {
		out = append(out, filepath.Base(c.Path))
	}
	return out
}

func baseNames(paths []string) []string {
	var out []string
	for _, p := range paths {
		out = append(out, filepath.Base(p))
	}
	return out
}

func onlyUnused(changes []graph.Change) bool {
	return !slices.ContainsFunc(changes, func(c graph.Change) bool { return c.Verdict > astcheck.Unused })
}
