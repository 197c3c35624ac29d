package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/protocol"
)

// This file asks the daemon for programs and takes its answers. Each request
// has a number, and only the answer to the newest counts.

// result is the end of a request.
type result struct {
	seq     uint64
	open    bool
	backend *backend          // of an open
	session *protocol.Session // of an open
	snap    *graph.Snapshot   // sent with a build's reply if changes alone do not do
	reply   *protocol.Reply
	err     error
}

// firstSnapshot follows the reply to an open.
type firstSnapshot struct {
	session *protocol.Session
	number  uint64
	snap    *graph.Snapshot
}

// early is a program that can run although its build goes on.
type early struct {
	seq      uint64
	artifact order.Artifact
}

// lostAgain is how soon after a daemon's death another one makes us go on
// without: a build that kills it would kill the next as well.
const lostAgain = time.Minute

// open opens a session in the background, with a daemon that is found or
// started if there is none: what it says comes through the runner's channels.
// Alone, it serves itself.
func (r *runner) open(alone bool, from time.Time, names []string) {
	r.seq++
	seq := r.seq
	ctx, cancel := context.WithCancel(r.ctx)
	r.opening, r.building, r.early, r.giveUp = true, true, false, cancel
	r.names, r.from = names, from
	b := r.backend
	r.backend = nil
	r.wg.Go(func() {
		defer cancel()
		res := result{seq: seq, open: true, backend: b}
		if b == nil {
			res.backend, res.err = r.connect(ctx, alone)
		}
		var rest protocol.Handler
		if res.err == nil {
			res.session, res.reply, res.err = res.backend.client.Open(ctx, r.job, r.handler(ctx, seq, nil))
			rest.Snapshot = r.passOn(res)
			rest.Notice = func(text string) { r.c.screen.Notice("%s", text) }
		}
		if !r.deliver(res) {
			if res.session != nil {
				res.session.Close()
			}
			if res.backend != nil {
				res.backend.close()
			}
			return
		}
		if res.session != nil {
			// The connection of this call waits for the next build: a daemon that
			// drains takes no new ones.
			res.backend.client.Hello(r.ctx)
			res.session.Rest(rest) // ends with the session
			send(r.ctx, r.lost, res.session)
		}
	})
}

// connect finds a daemon, and says once why there is none.
func (r *runner) connect(ctx context.Context, alone bool) (*backend, error) {
	b, why, err := connect(ctx, alone || r.flags.noDaemon)
	if why != "" && err == nil {
		r.c.screen.Notice("working without hrd: %s", why)
	}
	return b, err
}

// passOn returns what to do with the snapshot that follows an open's reply.
func (r *runner) passOn(res result) func(*graph.Snapshot) {
	return func(s *graph.Snapshot) {
		if res.reply != nil {
			send(r.ctx, r.snapshots, firstSnapshot{res.session, res.reply.Number, s})
		}
	}
}

// build asks for the program as its source is now; the build before is given up.
func (r *runner) build(from time.Time, names []string) {
	if r.opening {
		return // its answer is looked at before anything else
	}
	r.doubt = false
	r.forChurn = r.dueNow
	r.churn.TookAll()
	if r.building {
		names = union(r.names, names)
	}
	if r.session == nil {
		r.reopen(from, names) // there was none, or nobody needed it until now
		return
	}
	if r.giveUp != nil {
		r.giveUp()
	}
	r.seq++
	seq, session, have := r.seq, r.session, r.have
	if r.snap == nil {
		have = 0
	}
	req := protocol.BuildRequest{Seq: seq, Have: have}
	if r.good.artifact.Path != "" {
		good := r.surelyGood()
		req.Good = &good
	}
	ctx, cancel := context.WithCancel(r.ctx)
	r.building, r.names, r.from, r.giveUp = true, names, from, cancel
	r.wg.Go(func() {
		defer cancel()
		res := result{seq: seq}
		res.reply, res.err = session.Build(ctx, req, r.handler(ctx, seq, &res.snap))
		r.deliver(res)
	})
}

// handler passes what a stream says to the loop; a snapshot waits for its reply.
func (r *runner) handler(ctx context.Context, seq uint64, snap **graph.Snapshot) protocol.Handler {
	h := protocol.Handler{
		Progress: func(p protocol.Progress) { r.tell(event.Progress(p)) },
		Built:    func(a order.Artifact) { send(ctx, r.builtc, early{seq, a}) },
	}
	if snap != nil {
		h.Snapshot = func(s *graph.Snapshot) { *snap = s }
	}
	return h
}

// drop gives up the build in flight. An open goes on: without a session there
// is nothing to build with.
func (r *runner) drop() {
	if r.opening || !r.building {
		return
	}
	r.giveUp()
	r.seq++ // whatever it still answers is of no use
	r.building = false
}

// onBuilt runs a program before all about it is known: only the first one, for
// until then there is nothing on the screen.
func (r *runner) onBuilt(e early) {
	if e.seq == r.seq && r.opening && r.gen == nil && r.launch == nil {
		r.early = true
		r.start(launch{artifact: e.artifact, from: r.from})
	}
}

// onResult takes the end of a request over.
func (r *runner) onResult(res result) (code int, done bool) {
	r.c.screen.Done()
	if res.open {
		r.opening = false
		r.backend, r.session = res.backend, res.session
		r.snap, r.awaiting = nil, res.err == nil
	}
	if res.seq != r.seq {
		return 0, false // superseded
	}
	r.building = false
	if res.err != nil {
		return r.onFailure(res)
	}
	out := res.reply.Outcome
	switch {
	case res.open:
	case res.snap != nil:
		r.snap = res.snap
		r.watchMore()
	default:
		r.snap = r.snap.WithFiles(out.Changes)
	}
	r.have, r.made = res.reply.Number, out.Artifact.Key
	r.failing, r.dropped, r.doubt = false, false, false
	clear(r.blamed)
	r.sup.Explain("")
	r.report.built(out, r.sessionID())
	for _, w := range out.Warnings {
		r.c.screen.Notice("%s", w)
	}
	if r.flags.linker == "incremental" && out.Refused != "" && out.Refused != r.refused {
		// Who asks for a linker wants to know why another one did the work.
		r.refused = out.Refused
		r.c.screen.Notice("the incremental linker left it to the toolchain's: %s", out.Refused)
	}
	if out.Text != "" {
		r.tell(event.Output{Text: out.Text})
	}
	same := r.alive() && out.Artifact.Key == r.running.Key && len(r.due) == 0
	if same && r.running.Key == r.good.artifact.Key {
		r.report.startGood() // what failed to start was taken back
	}
	switch {
	case res.open && r.early && out.Built:
		// It runs since the go command had linked it; now it has its own name.
		if r.good.artifact == r.running {
			r.good.artifact = out.Artifact
		}
		r.running = out.Artifact
	case same && len(r.names) > 0:
		r.tell(event.Unchanged{Outcome: told(out), Files: r.names})
	case same:
	default:
		r.start(launch{artifact: out.Artifact, from: r.from, out: out, names: r.names})
	}
	return 0, false
}

// onFailure shows why there is no new program. The one that runs stays.
func (r *runner) onFailure(res result) (code int, done bool) {
	e := protocol.AsError(res.err)
	var f *protocol.Failure
	answered := errors.As(res.err, &f)
	switch {
	case r.ctx.Err() != nil:
		return 0, false
	case answered && e.Code == protocol.CodeCanceled, // the daemon was told to end
		!answered && r.backend != nil && r.backend.local == nil && lostDaemon(res):
		r.gone, r.mute = true, errors.Is(res.err, protocol.ErrSilent)
		r.reopen(r.from, r.names)
		return 0, false
	case r.gen == nil && r.launch == nil && !r.failing && e.Code != protocol.CodeBuild:
		return r.c.fail(e), true // no save will help
	}
	// The look at all inputs once they are watched finds what was told already.
	again := r.failing && r.failure == e.Message && (len(r.names) == 0 || r.forChurn)
	r.failing, r.failure = true, e.Message
	if r.launch == nil {
		r.answer(askReply{Error: e.Message}) // a restart that wanted this build
	}
	if r.doubt {
		r.doubt = false
		r.build(r.from, r.names) // what it complains of may be mended already
		if held := r.held; held != nil {
			r.held = nil
			r.onBatch(*held)
		}
		return 0, false
	}
	if answered {
		r.report.failed(f)
	}
	switch {
	case again:
	case answered && f.Build != nil && f.Build.Syntax != nil:
		r.tell(r.broke(*f.Build.Syntax, r.from))
	case e.Code == protocol.CodeBuild:
		r.tell(event.Error{Error: e, Problems: problems(e.Message, r.job.Dir)})
	default:
		r.tell(event.Error{Error: e})
	}
	r.sup.Explain(e.Message)
	switch {
	case again:
	case r.alive():
		r.tell(event.Kept{Generation: r.keptID(), Trouble: event.NoTrouble})
	default:
		r.tell(event.Waiting{})
	}
	r.keys.begin()
	if len(r.due) > 0 {
		r.rerun(r.due, r.from)
	}
	if held := r.held; held != nil {
		r.held = nil
		r.onBatch(*held)
	}
	return 0, false
}

// lostDaemon tells that the daemon is not the one that the request was meant
// for: it died, or another one has its place.
func lostDaemon(res result) bool {
	var e *protocol.Error
	return protocol.Gone(res.err) || errors.Is(res.err, protocol.ErrOther) || errors.Is(res.err, protocol.ErrSilent) ||
		!res.open && errors.As(res.err, &e) && e.Code == protocol.CodeNotFound
}

// reopen opens another session. If the last one ended under us, that is with a
// new daemon, or, if that dies as well, in this process.
func (r *runner) reopen(from time.Time, names []string) {
	if r.session != nil {
		r.session.Close()
		r.session = nil
	}
	alone := false
	if r.gone {
		r.gone = false
		r.backend.close()
		r.backend = nil
		alone = r.mute || !r.lostAt.IsZero() && time.Since(r.lostAt) < lostAgain
		r.lostAt = time.Now()
		switch {
		case r.mute:
			r.mute = false
			r.c.screen.Notice("hrd does not answer: going on without it (hrd status tells more)")
		case alone:
			r.c.screen.Notice("hrd is gone again: going on without it")
		default:
			r.c.screen.Notice("hrd is gone: going on with a new one")
		}
	}
	r.open(alone, from, names)
}

// onLost takes note of a session that ended. Nobody needs another one before
// the next save, unless one waits already.
func (r *runner) onLost(s *protocol.Session) {
	if s != r.session || r.backend == nil || r.backend.local != nil {
		return
	}
	r.session, r.gone = nil, true
	if r.awaiting {
		r.awaiting = false
		r.reopen(time.Now(), nil)
	}
}

func (r *runner) sessionID() string {
	if r.session == nil || r.backend.local != nil {
		return ""
	}
	return r.session.ID
}

func (r *runner) deliver(res result) bool { return send(r.ctx, r.results, res) }

// send passes v to the loop unless ctx ends first.
func send[T any](ctx context.Context, to chan<- T, v T) bool {
	select {
	case to <- v:
		return true
	case <-ctx.Done():
		return false
	}
}

// union joins two lists of names, each name once.
func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, name := range b {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}
