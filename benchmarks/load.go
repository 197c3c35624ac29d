package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// loadEvery is the time between two connections: 200 new ones a second.
	loadEvery = 5 * time.Millisecond
	// loadRest lies between an answer of the new program and the next save.
	loadRest = 250 * time.Millisecond
)

// load has one tool after the other restart the program by saves while clients
// keep coming, and notes for each restart what they met. A restart is everything
// from its save to the next one.
func (r *runner) load(ctx context.Context, seats map[string]*seat, j job) {
	for _, name := range strings.Fields(j.tools) {
		s, restarts := seats[name], j.count
		if !r.ready(ctx, s) {
			continue
		}
		if !s.ours() {
			restarts = j.rivals
		}
		began := time.Now()
		for restarts > 0 && r.ready(ctx, s) {
			done, err := r.loadTool(ctx, s, j, restarts)
			if err == nil || ctx.Err() != nil {
				break
			}
			restarts -= done
			r.stumble(ctx, s, j, err)
		}
		r.say("  %-6s %-12s %4.0f s  %s", j.kind, name, time.Since(began).Seconds(), r.results.underLoad(s.prog.name, name))
	}
}

// loadTool returns how many of the restarts were seen.
func (r *runner) loadTool(ctx context.Context, s *seat, j job, restarts int) (int, error) {
	if err := r.refresh(ctx, s); err != nil {
		return 0, err
	}
	edit := s.prog.edits[s.prog.leaf]
	t := newTraffic(s.probe, edit.path)
	var err error
	for range restarts {
		if ctx.Err() != nil || !r.inTime() {
			break
		}
		if err = r.restart(ctx, s, t, edit.marked(r.mark())); err != nil {
			break
		}
		pause(ctx, loadRest)
	}
	seen := t.end()
	for _, v := range seen {
		r.add(j.kind, s, j.name, v)
	}
	return len(seen), err
}

// restart saves and waits until a client sees the new program.
func (r *runner) restart(ctx context.Context, s *seat, t *traffic, e edit) error {
	ctx, cancel := context.WithTimeout(ctx, s.prog.wait())
	defer cancel()
	seen := t.next(e.want)
	begin, err := s.src.save(e)
	if err != nil {
		return err
	}
	if err := s.tool.saved(ctx, s); err != nil {
		return s.fail("save "+e.file, err)
	}
	select {
	case at := <-seen:
		t.took(at.Sub(begin))
		return nil
	case <-ctx.Done():
		return s.fail("no client sees "+e.want, ctx.Err())
	}
}

// traffic opens connections at a steady rate, whatever becomes of them, and
// makes one request on each.
type traffic struct {
	probe   probe
	request []byte
	cancel  context.CancelFunc
	done    chan struct{} // closed when every connection has ended

	mu    sync.Mutex // guards fields below
	spans []*span    // the first is of those before the first save
	want  string     // what the new program answers
	seen  chan time.Time
}

// span is what the connections met that began between two saves.
type span struct {
	took                      time.Duration // from the save to the first new answer
	requests, refused, failed int
	longest                   time.Duration // of a connection that was answered
}

func newTraffic(p probe, path string) *traffic {
	ctx, cancel := context.WithCancel(context.Background())
	t := &traffic{probe: p, request: p.request(path), cancel: cancel, done: make(chan struct{}), spans: []*span{{}}}
	go func() {
		defer close(t.done)
		var clients sync.WaitGroup
		defer clients.Wait()
		// By the clock and not by a ticker, which leaves out what it comes late for.
		for at := time.Now(); ctx.Err() == nil; at = at.Add(loadEvery) {
			pause(ctx, time.Until(at))
			t.mu.Lock()
			now := t.spans[len(t.spans)-1]
			t.mu.Unlock()
			clients.Go(func() { t.client(now) })
		}
	}()
	return t
}

// client makes one request and counts it where it began.
func (t *traffic) client(s *span) {
	begin := time.Now()
	response, err := t.probe.ask(context.Background(), t.request)
	if err == nil {
		err = whole(response)
	}
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	s.requests++
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		s.refused++
	case err != nil:
		s.failed++
	default:
		s.longest = max(s.longest, now.Sub(begin))
		if t.want != "" && strings.Contains(response, t.want) {
			t.want = ""
			t.seen <- now
		}
	}
}

// whole tells what a response lacks: bytes of its body, or success.
func whole(response string) error {
	res, err := http.ReadResponse(bufio.NewReader(strings.NewReader(response)), nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return errors.New(res.Status)
	}
	_, err = io.Copy(io.Discard, res.Body)
	return err
}

// next begins a new span; the channel gets the time of the first response that
// holds the text.
func (t *traffic) next(want string) <-chan time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spans = append(t.spans, &span{})
	t.want, t.seen = want, make(chan time.Time, 1)
	return t.seen
}

// took notes how long the restart of the current span was.
func (t *traffic) took(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spans[len(t.spans)-1].took = d
}

// end stops the clients and returns a sample for each restart that was seen.
func (t *traffic) end() []values {
	t.cancel()
	<-t.done
	var out []values
	for _, s := range t.spans {
		if s.took == 0 {
			continue
		}
		out = append(out, values{
			unitTime: float64(s.took.Nanoseconds()), unitLongest: float64(s.longest.Nanoseconds()),
			unitRequests: float64(s.requests), unitRefused: float64(s.refused), unitDropped: float64(s.failed),
		})
	}
	return out
}
