package daemon

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/hotreflex/hr/internal/engine"
	"github.com/hotreflex/hr/internal/protocol"
)

// session is one hr and the program that it runs.
type session struct {
	id     string
	target *engine.Target
	job    engine.Job
	digest string // of job
	bench  *bench
	since  time.Time

	// Guarded by Daemon.mu.
	stream *stream          // of its open
	good   *engine.Artifact // that its front may start again
}

// maxRequest bounds a request: a client's environment is at most a few hundred
// kilobytes (execve's limit is 2 MB on Linux).
const maxRequest = 8 << 20

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
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler {
				d.opt.Log("panic in %s: %v\n%s", r.URL.Path, p, debug.Stack())
				writeError(w, &protocol.Error{Code: protocol.CodeInternal, Message: fmt.Sprint("a fault of hrd: ", p), Hint: "hrd logs shows where"})
			}
		}()
		r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
		if err := f(w, r); err != nil {
			writeError(w, protocol.AsError(err))
		}
	}
}

// open begins a session, builds its program and holds the stream until the
// client leaves.
func (d *Daemon) open(w http.ResponseWriter, r *http.Request) error {
	var req protocol.OpenRequest
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		return &protocol.Error{Code: protocol.CodeUsage, Message: fmt.Sprintf("read request: %v", err)}
	}
	ctx := r.Context()
	t, err := d.engine.Resolve(ctx, req.Job)
	if err != nil {
		return explain(err)
	}
	s, err := d.begin(t, req.Job)
	if err != nil {
		return err
	}
	defer d.end(s)
	st := newStream(w, s.digest)
	defer st.close()
	st.send(protocol.Event{Session: s.id})
	if prog, ok := d.answer(ctx, st, s, protocol.BuildRequest{}); ok {
		st.send(protocol.Event{Snapshot: prog.Snap.View()})
	}
	d.mu.Lock()
	s.stream = st
	d.mu.Unlock()
	<-ctx.Done()
	return nil
}

// build answers one batch of a session.
func (d *Daemon) build(w http.ResponseWriter, r *http.Request) error {
	var req protocol.BuildRequest
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		return &protocol.Error{Code: protocol.CodeUsage, Message: fmt.Sprintf("read request: %v", err)}
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
			Built: func(a engine.Artifact) { st.send(protocol.Event{Built: &a}) },
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
	if first && len(f.prog.Warnings) > 0 {
		told := *out // others read the same outcome
		told.Warnings, out = f.prog.Warnings, &told
	}
	if !first && (out.Reloaded || req.Have == 0 || req.Have != f.from) {
		st.send(protocol.Event{Snapshot: f.prog.Snap.View()})
	}
	st.send(protocol.Event{Reply: &protocol.Reply{Seq: req.Seq, Number: f.to, Outcome: out}})
	return f.prog, true
}

func (d *Daemon) begin(t *engine.Target, job engine.Job) (*session, error) {
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
	s := &session{id: rand.Text(), target: t, job: job, digest: job.Digest(), bench: b, since: time.Now()}
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
func (d *Daemon) count(out *engine.Outcome, err error) {
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

// stream writes events as JSON lines.
type stream struct {
	job string // digest of what all of it is about

	mu     sync.Mutex // guards fields below: hooks are called by other goroutines
	enc    *json.Encoder
	w      http.ResponseWriter
	closed bool // the request is over, and w with it
}

func newStream(w http.ResponseWriter, job string) *stream {
	w.Header().Set("Content-Type", "application/x-ndjson")
	return &stream{job: job, enc: json.NewEncoder(w), w: w}
}

// send writes one line at once. A client that left is found by its context.
func (s *stream) send(e protocol.Event) {
	e.For = s.job
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed && s.enc.Encode(e) == nil {
		if f, ok := s.w.(http.Flusher); ok {
			f.Flush()
		}
	}
}

// close ends the use of the ResponseWriter, which net/http takes back: a build
// may go on after the client that asked for it has left.
func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

func writeJSON(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(v)
}

func writeError(w http.ResponseWriter, e *protocol.Error) {
	status := http.StatusInternalServerError
	switch e.Code {
	case protocol.CodeUsage:
		status = http.StatusBadRequest
	case protocol.CodeNotFound:
		status = http.StatusNotFound
	case protocol.CodeBuild:
		status = http.StatusUnprocessableEntity
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(e) // a client that left does not read it
}

func (d *Daemon) hello() protocol.Hello {
	return protocol.Hello{Revision: protocol.Revision, Version: protocol.Version(), BuildID: protocol.BuildID(), Pid: os.Getpid()}
}
