package protocol

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/hotreflex/hr/internal/exact"
	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/order"
)

// Client talks to one daemon. Its methods may be called from several goroutines
// at once.
type Client struct {
	http *http.Client
	most int64 // bytes of an answer with snapshots
}

// NewClient returns a client that reaches its daemon through dial.
func NewClient(dial func(ctx context.Context) (net.Conn, error)) *Client {
	return &Client{most: maxAnswer, http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		// One stream for the session, one request for a build, one for a status.
		MaxIdleConnsPerHost: 2,
		DisableCompression:  true,
		// Our daemon's have a few hundred bytes.
		MaxResponseHeaderBytes: 64 << 10,
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
	err := c.call(ctx, question{http.MethodGet, routeHello, helloTime, maxSmall}, &h)
	return h, err
}

// Status asks for the daemon's state.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var s Status
	err := c.call(ctx, question{http.MethodGet, routeStatus, helloTime, c.most}, &s)
	return s, err
}

// Stop asks the daemon to take no new sessions and to exit when the open ones
// have ended; with now it ends them.
func (c *Client) Stop(ctx context.Context, now bool) error {
	path := routeStop
	if now {
		path += "?now=1"
	}
	return c.call(ctx, question{http.MethodPost, path, helloTime, maxSmall}, nil)
}

// question is a request with one reply.
type question struct {
	method, path string
	time         time.Duration // that the whole answer may take
	size         int64         // that it may have
}

// call asks and reads the answer into out, if there is one.
func (c *Client) call(ctx context.Context, q question, out any) error {
	ctx, l := limited(ctx, q.time)
	defer l.end()
	body, err := c.stream(ctx, q.method, q.path, nil)
	if err != nil {
		return err
	}
	defer body.Close()
	data, err := io.ReadAll(atMost(body, q.size))
	if err == nil && out != nil {
		err = exact.Unmarshal(data, out)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", q.path, cause(ctx, err))
	}
	return nil
}

// stream makes one request and returns the body of its reply.
func (c *Client) stream(ctx context.Context, method, path string, in any) (io.ReadCloser, error) {
	var body io.Reader
	if in != nil {
		data, err := exact.Marshal(in)
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
		return nil, fmt.Errorf("ask hrd: %w", cause(ctx, err))
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		e := new(Error)
		data, err := io.ReadAll(atMost(resp.Body, maxSmall))
		if err != nil || exact.Unmarshal(data, e) != nil || e.Code == "" {
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
	Built    func(order.Artifact)
	Snapshot func(*graph.Snapshot)
	Notice   func(text string)
}

// Open opens a session and waits for its first program. The session lives until
// Close, also when the first build failed with a *Failure.
func (c *Client) Open(ctx context.Context, job order.Job, h Handler) (*Session, *Reply, error) {
	life, l := limited(context.WithoutCancel(ctx), quietTime)
	defer context.AfterFunc(ctx, l.end)()
	defer l.lift()
	body, err := c.stream(life, http.MethodPost, routeSessions, OpenRequest{job})
	if err != nil {
		l.end()
		return nil, nil, err
	}
	ev := newEvents(atMost(body, c.most), job.Digest())
	s := &Session{job: job.Digest(), client: c, cancel: func() { l.end(); body.Close() }, events: ev}
	ev.again = l.again
	reply, err := ev.wait(h, 0)
	ev.again = nil
	s.ID = ev.session
	var f *Failure
	failed := errors.As(err, &f)
	if s.ID == "" && (err == nil || failed) {
		err, failed = fmt.Errorf("open session: %w", errHole), false
	}
	if err != nil && !failed {
		s.Close()
		return nil, nil, cause(life, err)
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
	ctx, l := limited(ctx, quietTime)
	defer l.end()
	body, err := s.client.stream(ctx, http.MethodPost, routeSessions+"/"+s.ID+"/build", req)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	ev := newEvents(atMost(body, s.client.most), s.job)
	ev.again = l.again
	reply, err := ev.wait(h, req.Seq)
	return reply, cause(ctx, err)
}

// Snapshot asks for the snapshot of a session, which may be another process's.
func (c *Client) Snapshot(ctx context.Context, session string) (*graph.Snapshot, error) {
	s := new(graph.Snapshot)
	if err := c.call(ctx, question{http.MethodGet, routeSessions + "/" + session + "/snapshot", viewTime, c.most}, s); err != nil {
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
	lines   *bufio.Reader
	job     string // digest of the job that all of it must be about
	session string // that it was said to be of
	again   func() // called for each line of an answer that is waited for; may be nil
}

// A snapshot line of a large program has a few megabytes: read in large pieces.
func newEvents(r io.Reader, job string) *events {
	return &events{lines: bufio.NewReaderSize(r, 64<<10), job: job}
}

func (e *events) next() (Event, error) {
	var ev Event
	data, err := line(e.lines)
	if err == nil {
		err = exact.Unmarshal(data, &ev)
	}
	return ev, err
}

// wait hands events to h until a reply or a failure comes, which must be to the
// request of that number.
func (e *events) wait(h Handler, seq uint64) (*Reply, error) {
	end := time.Now().Add(buildTime)
	for {
		ev, err := e.next()
		if err == nil && e.again != nil {
			if e.again(); time.Now().After(end) {
				err = ErrSilent
			}
		}
		if err != nil {
			return nil, fmt.Errorf("read hrd: %w", err)
		}
		switch {
		case ev.For != e.job,
			ev.Reply != nil && ev.Reply.Seq != seq,
			ev.Failed != nil && ev.Failed.Seq != seq:
			return nil, fmt.Errorf("read hrd: %w", ErrOther)
		case ev.Refused != nil:
			if ev.Refused.Message == "" {
				return nil, fmt.Errorf("read hrd: refusal: %w", errHole)
			}
			return nil, ev.Refused
		case ev.Session != "":
			e.session = ev.Session
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
