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
	stop chan struct{}
	done chan struct{}

	mu      sync.Mutex // guards fields below
	took    []time.Duration
	refused int
	failed  int
	errs    map[string]int
}

func startLoad(address string, every time.Duration) *load {
	l := &load{stop: make(chan struct{}), done: make(chan struct{}), errs: map[string]int{}}
	go func() {
		defer close(l.done)
		var wg sync.WaitGroup
		defer wg.Wait()
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				wg.Go(func() { l.one(address) })
			case <-l.stop:
				return
			}
		}
	}()
	return l
}

func (l *load) one(address string) {
	begin := time.Now()
	err := get(address)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		l.took = append(l.took, time.Since(begin))
	case errors.Is(err, syscall.ECONNREFUSED):
		l.refused++
	default:
		l.failed++
		l.errs[err.Error()]++
	}
}

// get makes one request on a connection of its own.
func get(address string) error {
	c, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		return err
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err
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
	return fmt.Sprintf("%d ok, %d refused, %d failed, median %v, longest %v", len(l.took), l.refused, l.failed, median.Round(10*time.Microsecond), longest.Round(10*time.Microsecond))
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
