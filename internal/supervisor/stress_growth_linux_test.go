//go:build stress

package supervisor

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"
)

// footprint is what this process holds.
type footprint struct {
	descriptors, threads, goroutines, children int
	heap, resident                             int // KB
}

func (f footprint) String() string {
	return fmt.Sprintf("%d descriptors, %d threads, %d goroutines, %d children, heap %d KB, resident %d KB", f.descriptors, f.threads, f.goroutines, f.children, f.heap, f.resident)
}

func lookAtUs() footprint {
	debug.FreeOSMemory() // collects garbage first
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	descriptors, _ := os.ReadDir("/proc/self/fd")
	threads, _ := os.ReadDir("/proc/self/task")
	status, _ := os.ReadFile("/proc/self/status")
	resident := 0
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); f[0] == "VmRSS:" {
			resident, _ = strconv.Atoi(f[1])
		}
	}
	return footprint{len(descriptors), len(threads), runtime.NumGoroutine(), len(children(os.Getpid())), int(m.HeapAlloc >> 10), resident}
}

// TestStressNothingGrows restarts ten times as often as the others and compares
// this process with what it was after the first tenth. The bounds are below one
// descriptor, thread, goroutine, process or 100 bytes for a hundred restarts.
func TestStressNothingGrows(t *testing.T) {
	needsHandover(t)
	restarts := max(10**stressRestarts, 500)
	bound := footprint{
		descriptors: 3, // the runtime's own and a directory that is being read
		threads:     4, // the runtime starts one when others are in system calls
		goroutines:  2, // a timer that is about to run
		children:    0,
		heap:        256,
		resident:    4 << 10, // what the runtime keeps of freed memory varies by some arenas
	}
	s := newTest(t, Options{})
	spec := testSpec(nil, "hello", "127.0.0.1:"+freePort(t))
	var before footprint
	for i := range restarts {
		if _, _, err := s.Replace(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
		if i+1 == restarts/10 {
			before = lookAtUs()
			t.Logf("after %d restarts: %v", i+1, before)
		}
	}
	var after footprint
	deadline := time.Now().Add(patience) // what is on its way out may take a moment
	for {
		after = lookAtUs()
		more := footprint{after.descriptors - before.descriptors, after.threads - before.threads, after.goroutines - before.goroutines, after.children - before.children, after.heap - before.heap, after.resident - before.resident}
		if more.descriptors <= bound.descriptors && more.threads <= bound.threads && more.goroutines <= bound.goroutines && more.children <= bound.children && more.heap <= bound.heap && more.resident <= bound.resident {
			break
		}
		if time.Now().After(deadline) {
			t.Errorf("grown by %v", more)
			break
		}
		idle(50 * time.Millisecond)
	}
	t.Logf("after %d restarts: %v", restarts, after)
}
