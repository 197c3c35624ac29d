//go:build stress

package supervisor

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	stressRestarts = flag.Int("restarts", 50, "restarts of each stress run")
	stressRate     = flag.Int("rate", 200, "new connections per second")
)

// TestStressRestarts prints the table of the README: the same load over many
// restarts, with and without hand-over.
func TestStressRestarts(t *testing.T) {
	for _, tt := range []struct {
		name    string
		program []string
		options Options
		clean   bool // nothing may be refused or fail
	}{
		{"hard exit, plain", []string{"serve", "ADDRESS"}, Options{Handover: "off"}, false},
		{"hard exit", []string{"serve", "ADDRESS"}, Options{}, true},
		{"hard exit, 5 ms handler", []string{"serve", "ADDRESS", "5ms"}, Options{}, true},
		{"hard exit, SIGKILL", []string{"serve", "ADDRESS"}, Options{StopSignal: os.Kill}, true},
		{"hard exit, overlap", []string{"serve", "ADDRESS"}, Options{Overlap: true}, true},
		{"graceful, plain", []string{"graceful", "ADDRESS", "5ms"}, Options{Handover: "off"}, false},
		{"graceful", []string{"graceful", "ADDRESS", "5ms"}, Options{}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			address := "127.0.0.1:" + freePort(t)
			args := slices.Clone(tt.program)
			for i := range args {
				args[i] = strings.Replace(args[i], "ADDRESS", address, 1)
			}
			s := newTest(t, tt.options)
			spec := testSpec(newOutput(t), args[0], args[1:]...)
			g := mustStart(t, s, spec)
			receive(t, "ready", g.Ready())
			load := startLoad(address, time.Second/time.Duration(*stressRate))
			figures := restartMany(t, s, spec)
			line := load.end()
			t.Logf("%s; %s", line, figures)
			if tt.clean && (load.refused > 0 || load.failed > 0) {
				t.Errorf("%s, %v", line, load.errs)
			}
		})
	}
}

func restartMany(t *testing.T, s *Supervisor, spec Spec) string {
	t.Helper()
	var drain, stop, start, ready, gap []time.Duration
	for range *stressRestarts {
		g, timing, err := s.Replace(t.Context(), spec)
		if err != nil || g.over() {
			t.Fatalf("%v, %v", err, g.Exit())
		}
		drain, stop, start, ready = append(drain, timing.Drain), append(stop, timing.Stop), append(start, timing.Start), append(ready, timing.Ready)
		gap = append(gap, timing.Stop+timing.Start)
		idle(50 * time.Millisecond)
	}
	return fmt.Sprintf("medians: drain %v, stop %v, start %v, ready %v; signal to exec %v", median(drain), median(stop), median(start), median(ready), median(gap))
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2].Round(10 * time.Microsecond)
}

// TestStressKeepAlive counts what keep-alive clients lose, who do not retry.
func TestStressKeepAlive(t *testing.T) {
	for _, o := range []Options{{Handover: "off"}, {}} {
		name := "hand-over"
		if o.Handover == "off" {
			name = "plain"
		}
		t.Run(name, func(t *testing.T) {
			address := "127.0.0.1:" + freePort(t)
			s := newTest(t, o)
			spec := testSpec(newOutput(t), "serve", address, "3ms")
			g := mustStart(t, s, spec)
			receive(t, "ready", g.Ready())
			stop := make(chan struct{})
			var wg sync.WaitGroup
			var mu sync.Mutex // guards ok and cut
			ok, cut := 0, 0
			for range 20 {
				wg.Go(func() {
					client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}, Timeout: patience}
					tick := time.NewTicker(80 * time.Millisecond)
					defer tick.Stop()
					for {
						select {
						case <-stop:
							client.CloseIdleConnections()
							return
						case <-tick.C:
						}
						// POST is not retried by the transport.
						res, err := client.Post("http://"+address, "text/plain", strings.NewReader("x"))
						if err == nil {
							_, err = io.Copy(io.Discard, res.Body)
							res.Body.Close()
						}
						mu.Lock()
						if err == nil {
							ok++
						} else {
							cut++
						}
						mu.Unlock()
					}
				})
			}
			restartMany(t, s, spec)
			close(stop)
			wg.Wait()
			t.Logf("%d ok, %d cut or refused", ok, cut)
		})
	}
}

// TestStressNothingGrows restarts very often and looks at this process.
func TestStressNothingGrows(t *testing.T) {
	s := newTest(t, Options{})
	spec := testSpec(nil, "serve", "127.0.0.1:"+freePort(t))
	look := func() string {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		fds, _ := os.ReadDir("/proc/self/fd")
		threads, _ := os.ReadDir("/proc/self/task")
		return fmt.Sprintf("%d descriptors, %d threads, %d goroutines, %d KB heap, %d children", len(fds), len(threads), runtime.NumGoroutine(), m.HeapAlloc>>10, len(children(os.Getpid())))
	}
	for i := range *stressRestarts {
		if _, _, err := s.Replace(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
		if i == 20 || i == *stressRestarts-1 {
			t.Logf("after %d: %s", i+1, look())
		}
	}
}
