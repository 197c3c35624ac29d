package daemon

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/hotreflex/hr/internal/engine"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/protocol"
)

// session is one hr and the program that it runs.
type session struct {
	id     string
	target *engine.Target
	job    order.Job
	digest string // of job
	bench  *bench
	since  time.Time

	// Guarded by Daemon.mu.
	stream *stream         // of its open
	good   *order.Artifact // that its front may start again
}

func (d *Daemon) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(protocol.RouteHello, d.handle(func(w http.ResponseWriter, r *http.Request) error { return writeJSON(w, d.hello()) }))
	mux.HandleFunc(protocol.RouteStatus, d.handle(func(w http.ResponseWriter, r *http.Request) error { return writeJSON(w, d.Status()) }))
	mux.HandleFunc(protocol.RouteStop, d.handle(func(w http.ResponseWriter, r *http.Request) error {
		now := r.URL.Query().Get("now") != ""
		if err := writeJSON(w, d.hello()); err != nil {
			return err
		}
		w.(http.Flusher).Flush()
		d.Drain(now)
		return nil
	}))
	mux.HandleFunc(protocol.RouteOpen, d.handle(d.open))
	mux.HandleFunc(protocol.RouteBuild, d.handle(d.build))
	mux.HandleFunc(protocol.RouteView, d.handle(d.view))
	return mux
}

// handle turns errors and panics into the one shape that clients know. A panic
// costs one request, never the daemon.
func (d *Daemon) handle(f func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		// The one of the request before on this connection has passed.
		http.NewResponseController(w).SetWriteDeadline(time.Now().Add(clientTime))
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler {
				d.opt.Log("panic in %s: %v\n%s", r.URL.Path, p, debug.Stack())
				writeError(w, &protocol.Error{Code: protocol.CodeInternal, Message: fmt.Sprint("a fault of hrd: ", p), Hint: "hrd logs shows where"})
			}
		}()
		if err := f(w, r); err != nil {
			writeError(w, protocol.AsError(err))
		}
	}
}

// open begins a session, builds its program and holds the stream until the
// client leaves. Whatever takes time is done while the stream says that we live.
func (d *Daemon) open(w http.ResponseWriter, r *http.Request) error {
	var req protocol.OpenRequest
	if err := readJSON(w, r, &req); err != nil {
		return err
	}
	ctx := r.Context()
	st := newStream(w, req.Job.Digest())
	defer st.close()
	stop := protocol.Beat(st.alive)
	s, err := d.admit(ctx, req.Job, st)
	if err != nil {
		stop()
		st.send(protocol.Event{Refused: protocol.AsError(err)})
		return nil
	}
	defer d.end(s)
	st.send(protocol.Event{Session: s.id})
	prog, ok := d.answer(ctx, st, s, protocol.BuildRequest{})
	stop()
	if ok {
		st.send(protocol.Event{Snapshot: prog.Snap.View()})
	}
	d.mu.Lock()
	s.stream = st
	d.mu.Unlock()
	<-ctx.Done()
	return nil
}

// admit finds out what a job stands for and begins its session.
func (d *Daemon) admit(ctx context.Context, job order.Job, st *stream) (*session, error) {
	t, err := d.engine.Resolve(ctx, job)
	if err != nil {
		return nil, explain(err)
	}
	return d.begin(t, job, st.job)
}

// build answers one batch of a session.
func (d *Daemon) build(w http.ResponseWriter, r *http.Request) error {
	var req protocol.BuildRequest
	if err := readJSON(w, r, &req); err != nil {
		return err
	}
	s, err := d.session(r)
	if err != nil {
		return err
	}
	if req.Good != nil {
		d.mu.Lock()
		s.good = req.Good
		d.mu.Unlock()
	}
	st := newStream(w, s.digest)
	defer st.close()
	defer protocol.Beat(st.alive)()
	d.answer(r.Context(), st, s, req)
	return nil
}

// view sends the snapshot of a session's program.
func (d *Daemon) view(w http.ResponseWriter, r *http.Request) error {
	s, err := d.session(r)
	if err != nil {
		return err
	}
	prog := s.bench.program()
	if prog == nil {
		return &protocol.Error{Code: protocol.CodeNotFound, Message: "the program was not built yet", Hint: "mend what the running hr complains of"}
	}
	return writeJSON(w, prog.Snap.View())
}

func (d *Daemon) session(r *http.Request) (*session, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.sessions[r.PathValue("id")]; s != nil {
		return s, nil
	}
	return nil, &protocol.Error{Code: protocol.CodeNotFound, Message: "no such session"}
}

// answer builds and sends what comes of it. A client that the outcome's changes
// do not bring up to date, because they start from another program than it has,
// is sent the whole snapshot before the reply. The first reply of a session is
// not held up by its snapshot.
func (d *Daemon) answer(ctx context.Context, st *stream, s *session, req protocol.BuildRequest) (*engine.Program, bool) {
	// The target is found anew: GOFLAGS, the toolchain or go.mod may have
	// changed since the session began.
	t, err := d.engine.Resolve(ctx, s.job)
	f := &flight{}
	if err == nil {
		f, err = s.bench.build(ctx, t, engine.Hooks{
			Progress: func(done, all int) {
				st.send(protocol.Event{Progress: &protocol.Progress{Done: done, All: all}})
			},
			Built: func(a order.Artifact) { st.send(protocol.Event{Built: &a}) },
		})
	}
	if err != nil {
		failed := &protocol.Failure{Seq: req.Seq, Cause: protocol.AsError(explain(err)), Outcome: f.out}
		errors.As(err, &failed.Build)
		st.send(protocol.Event{Failed: failed})
		return nil, false
	}
	out := f.out
	first := req.Seq == 0
	if first {
		told := *out // others read the same outcome
		told.Warnings, out = append(d.takePassed(), f.prog.Warnings...), &told
	}
	if !first && (out.Reloaded || req.Have == 0 || req.Have != f.from) {
		st.send(protocol.Event{Snapshot: f.prog.Snap.View()})
	}
	st.send(protocol.Event{Reply: &protocol.Reply{Seq: req.Seq, Number: f.to, Outcome: out}})
	return f.prog, true
}

func (d *Daemon) begin(t *engine.Target, job order.Job, digest string) (*session, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.draining {
		return nil, &protocol.Error{Code: protocol.CodeAbsent, Message: "hrd is stopping"}
	}
	b := d.benches[t.Key()]
	if b == nil {
		b = &bench{d: d, used: time.Now()}
		d.benches[t.Key()] = b
	}
	// A client that comes to another daemon than it was served by must not find
	// somebody else's session under the name of its own.
	s := &session{id: rand.Text(), target: t, job: job, digest: digest, bench: b, since: time.Now()}
	d.sessions[s.id] = s
	b.use(1)
	return s, nil
}

func (d *Daemon) end(s *session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.sessions, s.id)
	s.bench.use(-1)
	d.quiet = time.Now()
	if d.draining && len(d.sessions) == 0 {
		d.goAway("drained")
	}
}

// count keeps the numbers of the status.
func (d *Daemon) count(out *order.Outcome, err error) {
	switch {
	case errors.Is(err, context.Canceled):
		d.counts.canceled.Add(1)
	case err != nil:
		d.counts.failed.Add(1)
	case out.Fallback != "":
		d.counts.fallback.Add(1)
	case out.Linker == "" && out.Compiled == 0:
		d.counts.unneeded.Add(1)
	default:
		d.counts.fast.Add(1)
	}
}

func (d *Daemon) hello() protocol.Hello {
	return protocol.Hello{Revision: protocol.Revision, Version: protocol.Version(), BuildID: protocol.BuildID(), Pid: os.Getpid()}
}
