//go:build stress

package supervisor

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

const (
	// filterRounds of each kind, in turns: their medians are compared.
	filterRounds = 9
	// filterRound is long enough for some ten thousand requests.
	filterRound = 2 * time.Second
	// filterClients keep both sides busy on a few processors.
	filterClients = 8
)

// TestStressFilterCost measures what the hand-over's filter costs net/http's
// hello under load: each of its system calls passes it. Plain and hand-over
// take turns, each round with a new program. Noise is how far apart the rounds
// of plain are, and the medians may differ by no more.
func TestStressFilterCost(t *testing.T) {
	needsHandover(t)
	var plain, filtered costs
	for i := range filterRounds {
		order := []*costs{&plain, &filtered}
		if i%2 == 1 {
			slices.Reverse(order) // who comes second has a warmer machine
		}
		for _, c := range order {
			o := Options{}
			if c == &plain {
				o.Handover = "off"
			}
			c.measure(t, o)
		}
	}
	t.Logf("plain:     %v", &plain)
	t.Logf("hand-over: %v", &filtered)
	for _, x := range []struct {
		name            string
		plain, filtered []float64
		worse           float64 // 1 when more is worse
	}{
		{"requests/s", plain.rates, filtered.rates, -1},
		{"p99", plain.slow, filtered.slow, 1},
	} {
		p, f := middle(x.plain), middle(x.filtered)
		noise := slices.Max(x.plain) - slices.Min(x.plain)
		t.Logf("%s: hand-over/plain %.3f, noise of plain %.1f %%", x.name, f/p, 100*noise/p)
		if x.worse*(f-p) > noise {
			t.Errorf("%s: plain %.1f, hand-over %.1f, noise %.1f", x.name, p, f, noise)
		}
	}
}

// costs are the rounds of one kind.
type costs struct {
	rates []float64 // requests/s
	slow  []float64 // 99th percentile in us
}

func (c *costs) String() string {
	return fmt.Sprintf("median %.0f requests/s (%.0f to %.0f), p99 %.0f us (%.0f to %.0f)", middle(c.rates), slices.Min(c.rates), slices.Max(c.rates), middle(c.slow), slices.Min(c.slow), slices.Max(c.slow))
}

func middle(x []float64) float64 { return slices.Sorted(slices.Values(x))[len(x)/2] }

func (c *costs) measure(t *testing.T, o Options) {
	t.Helper()
	address := "127.0.0.1:" + freePort(t)
	s := New(o)
	defer s.Close()
	g := mustStart(t, s, testSpec(newOutput(t), "hello", address))
	receive(t, "ready", g.Ready())
	var mu sync.Mutex // guards all
	var all []time.Duration
	var wg sync.WaitGroup
	begin := time.Now()
	for range filterClients {
		wg.Go(func() {
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}, Timeout: patience}
			defer client.CloseIdleConnections()
			var took []time.Duration
			for time.Since(begin) < filterRound {
				from := time.Now()
				res, err := client.Get("http://" + address)
				if err != nil {
					t.Error(err)
					return
				}
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
				took = append(took, time.Since(from))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
		})
	}
	wg.Wait()
	if len(all) == 0 {
		t.Fatal("no answers")
	}
	slices.Sort(all)
	c.rates = append(c.rates, float64(len(all))/time.Since(begin).Seconds())
	c.slow = append(c.slow, float64(all[len(all)*99/100].Microseconds()))
}
