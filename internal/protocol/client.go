package protocol

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/hotreflex/hr/internal/engine"
	"github.com/hotreflex/hr/internal/graph"
)

// Client talks to one daemon. Its methods may be called from several goroutines
// at once.
type Client struct{ http *http.Client }

// NewClient returns a client that reaches its daemon through dial.
func NewClient(dial func(ctx context.Context) (net.Conn, error)) *Client {
	return &Client{&http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		// One stream for the session, one request for a build, one for a status.
		MaxIdleConnsPerHost: 2,
		DisableCompression:  true,
	}}}
}

// Close drops idle connections. Open sessions end by their own Close.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Gone tells that err means a daemon that cannot be reached any more, or never
// could, as opposed to an answer of it.
func Gone(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) || errors.Is(err, ErrAbsent) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe)
}

// Hello asks who serves.
func (c *Client) Hello(ctx context.Context) (Hello, error) {
	var h Hello
	err := c.call(ctx, http.MethodGet, routeHello, nil, &h)
	return h, err
}

// Status asks for the daemon's state.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var s Status
	err := c.call(ctx, http.MethodGet, routeStatus, nil, &s)
	return s, err
}

// Stop asks the daemon to take no new sessions and to exit when the open ones
// have ended; with now it ends them.
func (c *Client) Stop(ctx context.Context, now bool) error {
	path := routeStop
	if now {
		path += "?now=1"
	}
	return c.call(ctx, http.MethodPost, path, nil, nil)
}

// call makes one request with one reply.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	body, err := c.stream(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer body.Close()
	if out == nil {
		_, err = io.Copy(io.Discard, body)
		return err
	}
	if err := json.NewDecoder(body).Decode(out); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// stream makes one request and returns the body of its reply.
func (c *Client) stream(ctx context.Context, method, path string, in any) (io.ReadCloser, error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", path, err)
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://hrd"+path, body)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		var asked *url.Error
		if errors.As(err, &asked) {
			err = asked.Err // the rest of it is an address that nobody typed
		}
		return nil, fmt.Errorf("ask hrd: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		e := new(Error)
		if json.NewDecoder(resp.Body).Decode(e) != nil || e.Code == "" {
			return nil, &Error{Code: CodeInternal, Message: "hrd answered " + resp.Status}
		}
		return nil, e
	}
	return resp.Body, nil
}

// Session is an open session: a target that the daemon keeps ready for us.
type Session struct {
	ID     string
	job    string // its digest
	client *Client
	cancel context.CancelFunc
	events *events
}

// Handler is told what a stream says while it runs. Each field may be nil.
type Handler struct {
	Progress func(Progress)
	Built    func(engine.Artifact)
	Snapshot func(*graph.Snapshot)
	Notice   func(text string)
}

// Open opens a session and waits for its first program. The session lives until
// Close, also when the first build failed with a *Failure.
func (c *Client) Open(ctx context.Context, job engine.Job, h Handler) (*Session, *Reply, error) {
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel)
	body, err := c.stream(life, http.MethodPost, routeSessions, OpenRequest{job})
	if err != nil {
		cancel()
		return nil, nil, err
	}
	ev := newEvents(body, job.Digest())
	s := &Session{job: job.Digest(), client: c, cancel: func() { cancel(); body.Close() }, events: ev}
	first, err := ev.next()
	if err != nil {
		s.Close()
		return nil, nil, fmt.Errorf("open session: %w", err)
	}
	s.ID = first.Session
	reply, err := ev.wait(h, 0)
	stop()
	var f *Failure
	if err != nil && !errors.As(err, &f) {
		s.Close()
		return nil, nil, err
	}
	return s, reply, err
}

// Rest reads what a session says after its first program: the snapshot. It
// returns when the session ends.
func (s *Session) Rest(h Handler) error {
	_, err := s.events.wait(h, 0)
	return err
}

// Build asks for the program as its source is now. A *Failure says that there
// is none; ctx gives the build up.
func (s *Session) Build(ctx context.Context, req BuildRequest, h Handler) (*Reply, error) {
	body, err := s.client.stream(ctx, http.MethodPost, routeSessions+"/"+s.ID+"/build", req)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return newEvents(body, s.job).wait(h, req.Seq)
}

// Snapshot asks for the snapshot of a session, which may be another process's.
func (c *Client) Snapshot(ctx context.Context, session string) (*graph.Snapshot, error) {
	s := new(graph.Snapshot)
	if err := c.call(ctx, http.MethodGet, routeSessions+"/"+session+"/snapshot", nil, s); err != nil {
		return nil, err
	}
	if !s.Whole() {
		return nil, fmt.Errorf("read snapshot: %w", errHole)
	}
	return s.Seal(), nil
}

// Close ends the session.
func (s *Session) Close() { s.cancel() }

// Error makes a Failure an error.
func (f *Failure) Error() string { return f.Cause.Message }

// Unwrap gives the one shape of errors that users see.
func (f *Failure) Unwrap() error { return f.Cause }

// errHole says that a message lacks what makes it one.
var errHole = errors.New("it is not whole")

// events reads a stream of JSON lines.
type events struct {
	dec *json.Decoder
	job string // digest of the job that all of it must be about
}

// A snapshot line of a large program has a few megabytes: read in large pieces.
func newEvents(r io.Reader, job string) *events {
	return &events{json.NewDecoder(bufio.NewReaderSize(r, 64<<10)), job}
}

func (e *events) next() (Event, error) {
	var ev Event
	err := e.dec.Decode(&ev)
	return ev, err
}

// wait hands events to h until a reply or a failure comes, which must be to the
// request of that number.
func (e *events) wait(h Handler, seq uint64) (*Reply, error) {
	for {
		ev, err := e.next()
		if err != nil {
			return nil, fmt.Errorf("read hrd: %w", err)
		}
		switch {
		case ev.For != e.job,
			ev.Reply != nil && ev.Reply.Seq != seq,
			ev.Failed != nil && ev.Failed.Seq != seq:
			return nil, fmt.Errorf("read hrd: %w", ErrOther)
		case ev.Progress != nil && h.Progress != nil:
			h.Progress(*ev.Progress)
		case ev.Built != nil && h.Built != nil:
			h.Built(*ev.Built)
		case ev.Snapshot != nil && h.Snapshot != nil:
			if !ev.Snapshot.Whole() {
				return nil, fmt.Errorf("read hrd: snapshot: %w", errHole)
			}
			h.Snapshot(ev.Snapshot.Seal())
		case ev.Notice != "" && h.Notice != nil:
			h.Notice(ev.Notice)
		case ev.Reply != nil:
			if ev.Reply.Outcome == nil {
				return nil, fmt.Errorf("read hrd: reply: %w", errHole)
			}
			return ev.Reply, nil
		case ev.Failed != nil:
			if ev.Failed.Cause == nil || ev.Failed.Cause.Message == "" {
				return nil, fmt.Errorf("read hrd: failure: %w", errHole)
			}
			return nil, ev.Failed
		}
	}
}
