package supervisor

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

// load opens connections at a steady rate, one request each, until stopped.
type load struct {
	begun time.Time
	stop  chan struct{}
	done  chan struct{}

	mu       sync.Mutex // guards fields below
	sent     int
	took     []time.Duration
	refused  int
	failed   int
	failures []failure
}

// failure is one request that got no answer.
type failure struct {
	began time.Time
	asked time.Duration // from began until the request was sent, 0 if it was not
	ended time.Duration // from began
	err   error
}

func (f failure) String() string {
	return fmt.Sprintf("asked after %v, failed after %v: %v", f.asked, f.ended, f.err)
}

// silentMost is how long a drain waits for the first request on a connection:
// freshMillis of the hand-over.
const silentMost = 50 * time.Millisecond

// lateClient says whether the client was silent on its new connection for so
// long that a drain does not wait for it, and a server without one might have
// closed it as well. On a busy machine a test's own goroutines are late.
func (f failure) lateClient() bool {
	silent := f.asked
	if silent == 0 {
		silent = f.ended
	}
	return silent > silentMost
}

// late counts the failures of late clients, after end.
func (l *load) late() (n int) {
	for _, f := range l.failures {
		if f.lateClient() {
			n++
		}
	}
	return n
}

// startLoad does not wait for answers: what is due is sent, at most mostOpen at
// a time.
func startLoad(address string, every time.Duration) *load {
	const mostOpen = 4000 // one more would wait in a queue of that many
	l := &load{begun: time.Now(), stop: make(chan struct{}), done: make(chan struct{})}
	free := make(chan struct{}, mostOpen)
	go func() {
		defer close(l.done)
		var wg sync.WaitGroup
		defer wg.Wait()
		tick := time.NewTicker(every)
		defer tick.Stop()
		for sent := 0; ; {
			select {
			case <-tick.C:
			case <-l.stop:
				l.sent = sent
				return
			}
			for due := int(time.Since(l.begun) / every); sent < due; sent++ {
				free <- struct{}{}
				wg.Go(func() { l.one(address); <-free })
			}
		}
	}()
	return l
}

func (l *load) one(address string) {
	f := failure{began: time.Now()}
	f.asked, f.err = get(address)
	f.ended = time.Since(f.began)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case f.err == nil:
		l.took = append(l.took, f.ended)
	case errors.Is(f.err, syscall.ECONNREFUSED):
		l.refused++
	default:
		l.failed++
		l.failures = append(l.failures, f)
	}
}

// get makes one request on a connection of its own. asked is the time until
// the request was sent.
func get(address string) (asked time.Duration, err error) {
	begin := time.Now()
	c, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		return 0, err
	}
	asked = time.Since(begin)
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return asked, fmt.Errorf("read: %w", err)
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return asked, err
}

// end stops the load and returns a line of figures.
func (l *load) end() string {
	close(l.stop)
	<-l.done
	slices.Sort(l.took)
	var median, longest time.Duration
	if n := len(l.took); n > 0 {
		median, longest = l.took[n/2], l.took[n-1]
	}
	return fmt.Sprintf("%d ok, %d refused, %d failed, median %v, longest %v, %.0f/s", len(l.took), l.refused, l.failed,
		median.Round(10*time.Microsecond), longest.Round(10*time.Microsecond), float64(l.sent)/time.Since(l.begun).Seconds())
}

// restarts are what a test has done under load.
type restarts []restart

type restart struct {
	began time.Time
	Timing
}

// around tells in which restart a request failed.
func (all restarts) around(f failure) string {
	ended := f.began.Add(f.ended)
	for i, r := range slices.Backward(all) {
		if r.began.Before(ended) {
			return fmt.Sprintf("began %v after restart %d (%v)", f.began.Sub(r.began), i, r.Timing)
		}
	}
	return "before any restart"
}

// freePort is a port that nobody had a moment ago.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
