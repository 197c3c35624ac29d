package front

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/hotreflex/hr/astcheck"
	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/protocol"
)

// content is what a simulated file says.
type content struct {
	there   bool
	version int  // of its code
	comment int  // of what the compiler does not see
	noParse bool // it is broken
	noBuild bool // it parses and does not compile
	noStart bool // the program exits at once
	noInput bool // the build does not read it
}

// code is the content as the compiler sees it.
func (c content) code() content {
	c.comment = 0
	return c
}

// disk is all simulated files by path.
type disk map[string]content

// program is the disk as a program of it has it: inputs alone, without comments.
func (d disk) program() disk {
	p := disk{}
	for path, c := range d {
		if c.there && !c.noInput {
			p[path] = c.code()
		}
	}
	return p
}

func (d disk) key() string {
	var b strings.Builder
	p := d.program()
	for _, path := range slices.Sorted(maps.Keys(p)) {
		fmt.Fprintf(&b, "%s=%v ", path, p[path])
	}
	return b.String()
}

func (d disk) any(bad func(content) bool) bool {
	for _, c := range d {
		if c.there && !c.noInput && bad(c) {
			return true
		}
	}
	return false
}

func (d disk) good() bool {
	return !d.any(func(c content) bool { return c.noParse || c.noBuild || c.noStart })
}

// request is one that simulated hrd works on.
type request struct {
	seq     uint64
	open    bool
	have    uint64
	sampled disk   // nil until it has read the disk
	again   bool   // it has read the disk before
	early   string // key of the program that an open handed over before its answer
}

// world is everything around a model, simulated: disk, watcher, hrd and child.
type world struct {
	rnd *rand.Rand
	now time.Time
	m   model
	in  []input // to be received, oldest first

	disk  disk
	saves []string // paths that the watcher has not told yet
	lossy bool     // a save is told by a look at everything alone

	// hrd
	session  bool
	sessions int // opened so far
	lost     int // number of the session that the lost input is about
	number   uint64
	prog     disk // of number
	requests []*request
	picture  *disk // of an open, not sent yet
	pictured uint64
	lastSeen disk // the snapshot that came last

	// hr's snapshot
	snap disk

	// child
	starting *launch
	wasCut   bool
	gen      int
	live     bool
	running  disk // of the newest generation that started
	progs    map[string]disk
	ended    bool // the newest generation ended by itself
	asked    int

	trace []string
	fault string
	steps int
}

var paths = []string{"/m/a.go", "/m/b.go", "/m/c.go", "/m/new.go", "/m/notes.txt", "/m/x_test.go"}

func newWorld(seed uint64) *world {
	w := &world{rnd: rand.New(rand.NewPCG(seed, 1)), now: time.Unix(1e9, 0), progs: map[string]disk{}}
	w.disk = disk{}
	for _, p := range paths {
		w.disk[p] = content{there: p != "/m/new.go", noInput: p == "/m/notes.txt" || p == "/m/x_test.go"}
	}
	w.m.opt = options{dir: "/m", keepGood: choice{given: true, on: w.rnd.IntN(4) > 0}}
	w.receive(begun{w.now})
	return w
}

func (w *world) failf(format string, args ...any) {
	if w.fault == "" {
		w.fault = fmt.Sprintf(format, args...)
	}
}

func (w *world) log(format string, args ...any) {
	if len(w.trace) < 4000 {
		w.trace = append(w.trace, fmt.Sprintf(format, args...))
	}
}

// receive gives an input to the model and performs its acts.
func (w *world) receive(in input) {
	w.log("  in  %T", in)
	m, acts := w.m.on(in)
	w.m = m
	for i := 0; i < len(acts); i++ {
		if answer := w.perform(acts[i]); answer != nil {
			more := acts[i+1:]
			w.receive(answer)
			for _, a := range more {
				w.perform(a)
			}
			return
		}
	}
}

// perform does what an act says; the answer of judge and scan comes back.
func (w *world) perform(a act) input {
	w.log("    act %T", a)
	switch a := a.(type) {
	case open:
		if len(w.requests) > 0 && slices.ContainsFunc(w.requests, func(r *request) bool { return r.open }) {
			w.failf("two opens at once")
		}
		w.requests = append(w.requests, &request{seq: a.seq, open: true})
	case build:
		if !w.session {
			w.in = append(w.in, w.lostAnswer(a.seq, false))
			return nil
		}
		w.requests = append(w.requests, &request{seq: a.seq, have: a.have})
	case hangUp:
		w.session = false
	case judge:
		return w.judge(a)
	case scan:
		return scanned{a.judged, w.scan()}
	case adopt:
		w.snap = w.lastSeen
	case apply:
		w.snap = maps.Clone(w.snap)
		for _, ch := range a.changes {
			w.snap[ch.Path] = w.lastSeen[ch.Path]
		}
	case forget:
		w.snap = nil
	case start:
		if w.starting != nil {
			w.failf("a start begins beside another")
		}
		l := a.launch
		w.starting, w.wasCut, w.live = &l, false, false
	case cut:
		if w.starting == nil {
			w.failf("cut without a start")
		}
		w.wasCut = true
	case nothing:
		w.checkNothing(a)
	case tell:
		w.checkTold(a.event)
	case quit:
		w.failf("hr quits: %v", a.err)
	}
	return nil
}

func (w *world) lostAnswer(seq uint64, open bool) refused {
	return refused{seq: seq, open: open, backend: true, at: w.now, lost: true, err: &protocol.Error{Code: protocol.CodeAbsent, Message: "gone"}}
}

// verdict compares a file with hr's snapshot, as graph.Judge does.
func (w *world) verdict(path string) graph.Change {
	now, was := w.disk[path], w.snap[path]
	ch := graph.Change{Path: path}
	switch {
	case now.noInput:
		ch.Verdict, ch.Why = astcheck.Unused, "no input"
	case now == was:
		ch.Verdict, ch.Why = astcheck.Same, "same content"
		if !now.there {
			ch.Verdict, ch.Why = astcheck.Unused, "was not an input"
		}
	case now.there && now.noParse:
		ch.Verdict, ch.Why = astcheck.Broken, "does not parse"
		ch.Syntax = &astcheck.SyntaxError{File: path, Line: 1, Msg: "no"}
	case now.there != was.there:
		ch.Verdict, ch.Why = astcheck.Header, "came or went"
	case now.code() == was.code():
		ch.Verdict, ch.Why = astcheck.Same, "only comments"
	default:
		ch.Verdict, ch.Why = astcheck.Body, "changed"
	}
	return ch
}

func (w *world) scan() []graph.Change {
	var out []graph.Change
	for _, p := range paths {
		if ch := w.verdict(p); ch.Verdict > astcheck.Unused && !ch.Touched() {
			out = append(out, ch)
		}
	}
	return out
}

func (w *world) judge(a judge) judged {
	b := a.batch
	if w.snap == nil {
		w.failf("judged without a snapshot")
		w.snap = disk{}
	}
	j := judged{batch: b, at: w.now}
	for _, p := range b.paths {
		j.changes = append(j.changes, w.verdict(p))
	}
	if b.rescan {
		for _, p := range a.broken {
			if !slices.Contains(b.paths, p) {
				j.changes = append(j.changes, w.verdict(p))
			}
		}
		for _, ch := range w.scan() {
			if !slices.Contains(b.paths, ch.Path) && !slices.Contains(a.broken, ch.Path) {
				j.changes = append(j.changes, ch)
			}
		}
	}
	for path := range w.m.source.broken {
		if !w.disk[path].there {
			j.gone = append(j.gone, path)
		}
	}
	return j
}

// checkNothing: "nothing to do" is never said of an edit that the running
// program lacks, unless a build or start will bring it or a broken file is in
// its way.
func (w *world) checkNothing(n nothing) {
	if w.m.ask.building || w.m.program.launching || len(w.m.source.broken) > 0 || w.m.source.failing || w.m.behind() {
		return
	}
	for _, ch := range n.changes {
		c := w.disk[ch.Path]
		if c.noInput || ch.Verdict > astcheck.Same {
			continue
		}
		if w.live && !w.ended && w.running[ch.Path].code() != withoutAbsent(c) {
			w.failf("nothing to do of %s, which the program lacks: has %v, disk %v", ch.Path, w.running[ch.Path], c)
		}
	}
}

func withoutAbsent(c content) content {
	if !c.there {
		return content{}
	}
	return c.code()
}

// checkTold: what is told is true when it is told.
func (w *world) checkTold(e event.Event) {
	w.log("      %s: %s", e.Name(), e.Line().Text)
	switch e := e.(type) {
	case event.Restored:
		if w.running.key() != w.disk.key() && w.starting == nil {
			w.failf("restored, but the program has other source")
		}
	case event.Kept:
		if e.Generation > 0 && !w.live {
			w.failf("#%d is said to keep running, and nothing lives", e.Generation)
		}
	}
}

// step lets one thing happen; still says that nobody saves and nothing breaks.
// It reports whether anything could.
func (w *world) step(still bool) bool {
	w.steps++
	w.now = w.now.Add(time.Duration(w.rnd.IntN(2000)) * time.Millisecond)
	var can []func()
	if len(w.in) > 0 {
		can = append(can, func() {
			in := w.in[0]
			w.in = w.in[1:]
			if _, ok := in.(lost); ok && w.lost != w.sessions {
				return // the loop knows that it is about another session
			}
			w.receive(in)
		})
	}
	if len(w.saves) > 0 || w.lossy {
		can = append(can, w.notify)
	}
	for i, r := range w.requests {
		can = append(can, func() { w.work(i, r) })
	}
	if w.picture != nil {
		can = append(can, w.sendPicture)
	}
	if w.starting != nil {
		can = append(can, w.endStart)
	}
	if !still {
		can = append(can, w.edit, w.edit)
		switch w.rnd.IntN(12) {
		case 0:
			if w.live && !w.ended {
				can = append(can, w.exit)
			}
		case 1:
			can = append(can, w.killHrd)
		case 2:
			can = append(can, w.askRestart)
		}
	}
	if len(can) == 0 {
		return false
	}
	can[w.rnd.IntN(len(can))]()
	return true
}

// edit saves a file.
func (w *world) edit() {
	path := paths[w.rnd.IntN(len(paths))]
	c := w.disk[path]
	c.there = true
	switch w.rnd.IntN(10) {
	case 0, 1, 2:
		c.version = w.rnd.IntN(3) // few: undo is common
	case 3, 4:
		c.comment++
	case 5:
		c.noParse = !c.noParse
	case 6:
		c.noBuild = !c.noBuild
	case 7:
		c.noStart = !c.noStart
	case 8:
		c.noParse, c.noBuild, c.noStart = false, false, false
	case 9:
		c.there = path == "/m/a.go" || w.rnd.IntN(2) == 0
		if !c.there {
			c = content{noInput: c.noInput}
		}
	}
	w.log("edit %s %+v", path, c)
	w.disk = maps.Clone(w.disk)
	w.disk[path] = c
	w.saves = append(w.saves, path)
}

// notify tells of the saves so far, all or some, by name or not.
func (w *world) notify() {
	b := batch{first: w.now, rescan: w.lossy}
	w.lossy = false
	n := len(w.saves)
	if n > 0 {
		n = 1 + w.rnd.IntN(n)
	}
	b.paths = slices.Clone(w.saves[:n])
	slices.Sort(b.paths)
	b.paths = slices.Compact(b.paths)
	w.saves = w.saves[n:]
	if w.rnd.IntN(20) == 0 {
		b.paths, b.rescan = nil, true // the queue was full
	}
	w.log("batch %v rescan=%v", b.paths, b.rescan)
	w.receive(saved{b})
}

// work lets hrd get on with a request.
func (w *world) work(i int, r *request) {
	if r.sampled == nil {
		r.sampled = w.disk
		if r.open && w.gen == 0 && r.early == "" && !r.again && r.sampled.compiles() && w.rnd.IntN(2) == 0 {
			r.early = r.sampled.key()
			w.receive(built{r.seq, w.artifact(r.sampled, "early")})
		}
		return
	}
	if r.sampled.key() != w.disk.key() && w.rnd.IntN(2) == 0 {
		r.sampled, r.again = nil, true // it looks once more, and starts again
		return
	}
	w.requests = slices.Delete(w.requests, i, i+1)
	if r.open {
		w.session = true
		w.sessions++
	} else if !w.session {
		w.receive(w.lostAnswer(r.seq, false))
		return
	}
	if !r.sampled.compiles() {
		f := &protocol.Failure{Seq: r.seq, Cause: &protocol.Error{Code: protocol.CodeBuild, Message: "no: " + r.sampled.key()}}
		w.receive(refused{seq: r.seq, open: r.open, backend: true, at: w.now, err: f.Cause, failure: f})
		return
	}
	w.answer(r)
}

func (d disk) compiles() bool {
	return !d.any(func(c content) bool { return c.noParse || c.noBuild })
}

func (w *world) artifact(d disk, name string) order.Artifact {
	key := d.key()
	w.progs[key] = d.program()
	return order.Artifact{Key: key, Path: "/bin/" + name}
}

// answer sends the program of a request.
func (w *world) answer(r *request) {
	from := w.number
	var changes []graph.Change
	for _, p := range paths {
		if w.prog[p] != r.sampled[p] && !r.sampled[p].noInput {
			changes = append(changes, graph.Change{Path: p, Verdict: astcheck.Body})
		}
	}
	if w.prog.key() != r.sampled.key() || w.prog == nil {
		w.number++
	}
	w.prog = r.sampled
	w.lastSeen = r.sampled
	out := &order.Outcome{Artifact: w.artifact(r.sampled, "final"), Changes: changes, Built: !r.again && r.early != ""}
	whole := !r.open && (r.have == 0 || r.have != from || w.rnd.IntN(3) == 0)
	w.receive(answered{seq: r.seq, open: r.open, number: w.number, whole: whole, out: out})
	if r.open {
		w.picture, w.pictured = &r.sampled, w.number
	}
}

func (w *world) sendPicture() {
	w.lastSeen = *w.picture
	w.picture = nil
	w.receive(pictured{at: w.now, number: w.pictured})
}

// endStart ends the start under way.
func (w *world) endStart() {
	l := *w.starting
	w.starting = nil
	in := launched{launch: l, at: w.now, env: "e", kept: true}
	if w.wasCut && w.rnd.IntN(2) == 0 {
		in.err = errors.New("cut")
		w.receive(in)
		return
	}
	w.gen++
	in.gen, in.pid = w.gen, 1000+w.gen
	d, ok := w.progs[l.artifact.Key]
	if !ok {
		w.failf("start of an unknown program %q", l.artifact.Key)
	}
	w.running, w.ended = d, false
	if d.any(func(c content) bool { return c.noStart }) {
		in.done, in.exit = true, exit{code: 1, status: 1, text: "exit code 1"}
		w.live = false
	} else {
		in.ready, in.listens, w.live = true, true, true
	}
	w.receive(in)
}

func (w *world) exit() {
	w.log("the program ends")
	w.ended, w.live = true, false
	w.receive(exited{exit{code: 1, status: 1, text: "exit code 1"}})
}

// killHrd ends hrd and with it all that it works on.
func (w *world) killHrd() {
	if !w.session {
		return
	}
	w.log("hrd dies")
	w.session, w.number, w.prog, w.picture = false, 0, nil, nil
	for _, r := range w.requests {
		w.in = append(w.in, w.lostAnswer(r.seq, r.open))
	}
	w.requests = nil
	w.in = append(w.in, lost{w.now})
	w.lost = w.sessions
	w.rnd.Shuffle(len(w.in), func(i, j int) { w.in[i], w.in[j] = w.in[j], w.in[i] })
}

func (w *world) askRestart() {
	w.asked++
	w.receive(restart{who: w.asked, names: []string{"hr restart"}, at: w.now})
}
