//go:build stress

package supervisor

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestStressKeepAlive counts what keep-alive clients lose, who do not retry:
// with hand-over at most three tenths of what they lose without. A request that
// is sent on an idle connection just when the program ends cannot be saved.
func TestStressKeepAlive(t *testing.T) {
	needsHandover(t)
	const most = 0.3
	restarts := max(*stressRestarts/4, 50)
	plain := cutRequests(t, Options{Handover: "off"}, restarts)
	kept := cutRequests(t, Options{}, restarts)
	t.Logf("%d restarts: plain %d of %d cut or refused, hand-over %d of %d", restarts, plain.cut.Load(), plain.all.Load(), kept.cut.Load(), kept.all.Load())
	if plain.cut.Load() == 0 {
		t.Fatal("nothing was cut without hand-over either: the load proves nothing")
	}
	if float64(kept.cut.Load()) > most*float64(plain.cut.Load()) {
		t.Errorf("hand-over cut %d requests, plain %d", kept.cut.Load(), plain.cut.Load())
	}
}

// keepAlive counts requests.
type keepAlive struct{ all, cut atomic.Int64 }

// cutRequests restarts a server with a handler of 3 ms while 20 clients make
// some 250 requests a second.
func cutRequests(t *testing.T, o Options, restarts int) *keepAlive {
	t.Helper()
	address := "127.0.0.1:" + freePort(t)
	s := New(o)
	defer s.Close()
	spec := testSpec(newOutput(t), "serve", address, "3ms")
	g := mustStart(t, s, spec)
	receive(t, "ready", g.Ready())
	n := new(keepAlive)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}, Timeout: patience}
			defer client.CloseIdleConnections()
			tick := time.NewTicker(80 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-stop:
					return
				case <-tick.C:
				}
				// POST is not retried by the transport.
				res, err := client.Post("http://"+address, "text/plain", strings.NewReader("x"))
				if err == nil {
					_, err = io.Copy(io.Discard, res.Body)
					res.Body.Close()
				}
				n.all.Add(1)
				if err != nil {
					n.cut.Add(1)
				}
			}
		})
	}
	restartMany(t, s, spec, restarts)
	close(stop)
	wg.Wait()
	return n
}
