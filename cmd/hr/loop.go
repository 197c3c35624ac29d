package main

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hotreflex/hr/astcheck"
	"github.com/hotreflex/hr/internal/churn"
	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/protocol"
	"github.com/hotreflex/hr/internal/supervisor"
	"github.com/hotreflex/hr/internal/triggers"
	"github.com/hotreflex/hr/internal/watch"
)

// runner is one hr run. One goroutine, loop, owns its fields; the others only
// send to its channels.
//
// What must stay true: snap is the source of the program that running names, no
// newer and no older. Then "nothing to do" is never said of an edit that the
// program lacks. What is saved while that cannot be known waits in held.
type runner struct {
	c       *command
	flags   runFlags
	job     order.Job
	args    []string
	wrapper []string // the command of -exec, by its path
	sup     *supervisor.Supervisor
	report  *report
	begin   time.Time

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	signals   <-chan os.Signal
	results   chan result
	snapshots chan firstSnapshot
	builtc    chan early
	watching  chan watching
	lost      chan *protocol.Session
	batches   <-chan watch.Batch
	exited    <-chan struct{} // of the current generation; nil if none lives

	watcher   *watch.Watcher
	trees     []string
	ruleTrees []string                    // the last ones of trees: watched for rules alone
	reach     atomic.Pointer[graph.Reach] // of snap; the watcher asks it, too
	addErr    string                      // last complaint about directories that cannot be watched
	refused   string                      // why the incremental linker did not link, as last told

	backend *backend // nil until the first open is through
	session *protocol.Session
	gone    bool            // the session ended under us
	mute    bool            // because hrd does not answer
	lostAt  time.Time       // when that happened last
	snap    *graph.Snapshot // nil while it is not known
	have    uint64          // number of the program that snap belongs to

	seq      uint64 // of the newest open or build
	opening  bool   // an open is under way
	building bool   // an open or a build is under way
	awaiting bool   // the snapshot of an open is still to come
	names    []string
	from     time.Time   // the event that caused the build under way
	settled  watch.Batch // the newest, for the times of -v
	giveUp   context.CancelFunc
	held     *watch.Batch

	gen      *supervisor.Generation
	running  order.Artifact         // what gen runs, or is about to
	early    bool                   // running was started before the open under way was through
	holds    map[string]*order.Hold // of artifacts that run or may be started again, by path
	unsound  bool                   // the artifact could not be started and is built again
	launches chan launch
	launch   context.CancelFunc // of the start under way, nil if none is
	next     *launch            // what to start when that is through

	launchedAt time.Time // when the newest start began
	good       good      // the last program that became ready: what a failed start goes back to
	before     []good    // for when good does not pass its trial: the last that did, and those since
	trial      trial
	made       string   // key of the artifact that snap is the source of
	due        []string // files that restart the program, when the build under way does not
	ready      readiness
	env        *triggers.EnvFiles
	rules      *triggers.Rules
	outputs    *outputs
	keys       *keys
	control    *control // nil if it cannot listen
	asks       chan ask
	waiting    []ask // restarts to answer

	churn    churn.Tracker
	calmer   *time.Timer // for what churn puts off
	writerc  chan foundWriter
	writers  map[string]string // of what does not stand still
	dueNow   bool              // what was put off is acted on
	forChurn bool              // the build under way is for the sake of such a file alone

	broken    map[string]bool // files that do not parse
	dropped   bool            // edits beside a broken file wait for it
	failing   bool            // the last build failed
	failure   string          // why
	blamed    map[string]bool // files whose edits came to be built since the last good program
	doubt     bool            // the build under way may have read what was mended since
	toldTimes repeats
}

// loop is the life of hr run. It returns the exit code.
func (r *runner) loop() int {
	r.broken, r.toldTimes = map[string]bool{}, repeats{}
	r.blamed, r.holds = map[string]bool{}, map[string]*order.Hold{}
	r.open(false, r.begin, nil) // first: what follows runs while the daemon works
	r.watchModule()
	r.report.begin()
	r.listen()
	for {
		code, done := 0, false
		select {
		case sig := <-r.signals:
			return r.onSignal(sig)
		case <-r.exited:
			code, done = r.onExit()
		case e := <-r.builtc:
			r.onBuilt(e)
		case l := <-r.launches:
			r.onLaunch(l)
		case s := <-r.snapshots:
			r.onSnapshot(s)
		case res := <-r.results:
			code, done = r.onResult(res)
		case s := <-r.lost:
			r.onLost(s)
		case w := <-r.watching:
			r.onWatching(w)
		case q := <-r.asks:
			code, done = r.onAsk(q)
		case key := <-r.keys.pressed:
			code, done = r.onKey(key)
		case f := <-r.writerc:
			r.onWriter(f)
		case <-r.calmTimer():
			r.onDue()
		case b, ok := <-r.batches:
			if ok {
				r.onBatch(b)
			}
		}
		if done {
			return code
		}
	}
}

// onSnapshot takes the first picture of a session over. What changed between
// its making and now is found by comparing every input.
func (r *runner) onSnapshot(s firstSnapshot) {
	if s.session != r.session || !r.awaiting {
		return
	}
	r.awaiting = false
	r.snap, r.have = s.snap, s.number
	r.watchMore()
	b := watch.Batch{First: time.Now(), Rescan: true}
	if r.held != nil {
		// Whether go build read these before or after they were saved is unknown
		// to the snapshot: the daemon must look.
		held, actOnNamed := r.takeNamed(*r.held)
		r.held = nil
		defer actOnNamed()
		held = r.follow(held)
		if changes := r.judge(held); !onlyUnused(changes) && len(r.brokenOf(changes)) == 0 {
			r.build(held.First, names(changes))
			return
		}
		b.Paths, b.First = held.Paths, held.First
	}
	r.onBatch(b)
}

// onBatch judges what was saved and builds if it matters.
func (r *runner) onBatch(b watch.Batch) {
	r.settled = b
	if r.snap == nil || r.opening {
		r.saveBlind(b)
		return
	}
	b, actOnNamed := r.takeNamed(b)
	defer actOnNamed()
	if len(b.Paths) == 0 && !b.Rescan {
		return
	}
	r.onChanges(r.follow(b), nil)
}

// onChanges judges the inputs of a batch. Free are those that were put off and
// whose turn it is.
func (r *runner) onChanges(b watch.Batch, free []string) {
	all := r.judge(b)
	changes := r.calm(all, free)
	if len(changes) == 0 && len(all) > 0 {
		return
	}
	var reasons []graph.Change
	mended := false
	for _, ch := range changes {
		if ch.Verdict == astcheck.Broken {
			continue
		}
		mended = mended || r.broken[ch.Path]
		delete(r.broken, ch.Path)
		if r.matters(ch) {
			reasons = append(reasons, ch)
		}
	}
	broken := r.brokenOf(changes)
	for _, ch := range broken {
		r.broken[ch.Path] = true
	}
	if len(broken) > 0 {
		r.showBroken(broken, b)
	}
	mended = r.forgetGone() || mended
	defer r.report.decide(changes) // for hr why: after the build has been asked for
	if len(r.broken) > 0 {
		// Nothing can be built; a build in flight may read the broken file.
		r.dropped = r.dropped || r.building || len(reasons) > 0
		r.drop()
		r.showWaiting(reasons)
		r.showNothing(changes, b)
		return
	}
	r.blame(reasons)
	r.doubt = r.doubt || r.building && r.couldMend(b, changes)
	undo := len(reasons) == 0 && !r.building && (mended || r.failing && (!onlyUnused(changes) || r.couldMend(b, changes)))
	if undo || r.dropped {
		// All that is not as in the program counts, also what was saved while
		// nothing could be built.
		r.dropped = false
		reasons = r.news()
		if len(reasons) == 0 && r.alive() && r.running.Key == r.made {
			r.failing = false
			clear(r.blamed)
			r.report.startGood()
			r.sup.Explain("")
			restored := event.Restored{}
			if r.gen != nil {
				restored.Generation = r.gen.ID
			}
			r.tell(restored)
			return
		}
		if len(reasons) == 0 {
			reasons = changes // the program is to run again
		}
	}
	switch {
	case len(reasons) > 0:
		r.build(b.First, names(reasons))
	case r.building && !onlyUnused(changes):
		r.build(b.First, names(changes)) // an undo of what is being built
	default:
		r.showNothing(changes, b)
	}
}

// saveBlind takes a batch that cannot be judged: there is no snapshot, or the
// program that it belongs to is about to be replaced.
func (r *runner) saveBlind(b watch.Batch) {
	switch {
	case r.opening || r.awaiting:
		r.hold(b)
	case len(b.Paths) > 0 || b.Rescan:
		r.build(b.First, baseNames(b.Paths))
	}
}

// hold keeps a batch until there is a snapshot to judge it by.
func (r *runner) hold(b watch.Batch) {
	r.showHeld(b)
	if r.held == nil {
		r.held = &b
		return
	}
	r.held.Paths = append(r.held.Paths, b.Paths...)
	slices.Sort(r.held.Paths)
	r.held.Paths = slices.Compact(r.held.Paths)
	r.held.Rescan = r.held.Rescan || b.Rescan
}

// judge returns a verdict for every path of the batch. A directory stands for
// all below it: then every input is compared.
func (r *runner) judge(b watch.Batch) []graph.Change {
	rescan := b.Rescan
	var changes []graph.Change
	for _, path := range b.Paths {
		if fi, err := os.Lstat(path); err == nil && fi.IsDir() && r.snap.File(path) == nil {
			rescan = true
			continue
		}
		changes = append(changes, r.snap.Judge(path))
	}
	if rescan || slices.ContainsFunc(b.Paths, r.snap.Holds) {
		judged := func(path string) bool {
			return slices.ContainsFunc(changes, func(c graph.Change) bool { return c.Path == path })
		}
		// One that did not parse and is again as the snapshot has it differs from
		// nothing.
		for _, path := range slices.Sorted(maps.Keys(r.broken)) {
			if !judged(path) {
				changes = append(changes, r.snap.Judge(path))
			}
		}
		for _, ch := range r.snap.Scan() {
			if !ch.Touched() && !judged(ch.Path) {
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

// brokenOf returns the changes that do not parse.
func (r *runner) brokenOf(changes []graph.Change) []graph.Change {
	var out []graph.Change
	for _, ch := range changes {
		if ch.Verdict == astcheck.Broken {
			out = append(out, ch)
		}
	}
	return out
}

// news compares every input with the program that runs.
func (r *runner) news() []graph.Change {
	return slices.DeleteFunc(r.snap.Scan(), func(c graph.Change) bool { return !r.matters(c) })
}

func names(changes []graph.Change) []string {
	var out []string
	for _, c := range changes {
		if c.Verdict > astcheck.Unused {
			out = append(out, filepath.Base(c.Path))
		}
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
