//go:build linux

package reflex_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var figures = flag.Bool("figures", false, "measure both programs and print the figures")

// report prints a sample as Go benchmarks do, so that benchstat and make bench
// read it: numbers and their units in turn.
func report(name, program string, values ...any) {
	fmt.Printf("BenchmarkWatch/program=reflex/case=%s/tool=%s-%d\t1", name, program, runtime.GOMAXPROCS(0))
	for i := 0; i < len(values); i += 2 {
		fmt.Printf("\t%v %v", values[i], values[i+1])
	}
	fmt.Println()
}

// TestFigures measures what hr reflex promises, both programs in one run:
// the way from a save to the command, a checkout of 5,000 files, and the
// processor time of a watcher that has nothing to do.
func TestFigures(t *testing.T) {
	if !*figures {
		t.Skip("takes two minutes of an idle machine: make bench-reflex")
	}
	t.Run("save", saveToStart)
	t.Run("checkout", checkout)
	t.Run("idle", idle)
}

// saveToStart takes the time from before the write of a file to the start of
// the command, by the command's own clock.
func saveToStart(t *testing.T) {
	const rounds = 20
	took := map[string][]float64{}
	var running []*watcherRun
	for _, sd := range sides(t) {
		dir := t.TempDir()
		if err := makeFile(dir, "a.go", "first"); err != nil {
			t.Fatal(err)
		}
		w := begin(t, sd, dir, []string{"-d", "none", "-r", `\.go$`, "--", "date", "+%s%N"}, "")
		w.awaitWatches()
		running = append(running, w)
	}
	for range rounds {
		for _, w := range running {
			<-time.After(50 * time.Millisecond)
			saved := time.Now()
			if err := makeFile(w.dir, "a.go", saved.String()); err != nil {
				t.Fatal(err)
			}
			started, err := strconv.ParseInt(w.awaitLine(), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			took[w.sd.name] = append(took[w.sd.name], float64(started-saved.UnixNano())/1e6)
			report("save", w.sd.name, started-saved.UnixNano(), "ns/op")
		}
	}
	for _, all := range took {
		slices.Sort(all)
	}
	hr, reflex := took["hr"][rounds/2], took["reflex"][rounds/2]
	fmt.Printf("# save to start: %.1f ms against %.1f ms, %.3f of reflex's\n", hr, reflex, hr/reflex)
	if hr > 0.10*reflex {
		t.Errorf("hr takes %.3f of reflex's time, more than 0.10", hr/reflex)
	}
}

// awaitLine takes one line.
func (w *watcherRun) awaitLine() string {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		w.mu.Lock()
		if len(w.lines) > 0 {
			line := w.lines[0]
			w.lines = w.lines[1:]
			w.mu.Unlock()
			return line
		}
		w.mu.Unlock()
		if time.Now().After(deadline) {
			w.t.Fatalf("no line comes: %s", w.errors())
		}
		<-time.After(time.Millisecond)
	}
}

// checkout switches 5,000 files of a work tree, there and back.
func checkout(t *testing.T) {
	const files = 5000
	for _, sd := range sides(t) {
		dir := t.TempDir()
		git := func(args ...string) {
			t.Helper()
			cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "gc.auto=0"}, args...)...)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("git %s: %v\n%s", args, err, out)
			}
		}
		git("init", "-q", "-b", "one")
		for branch, text := range []string{"one", "another"} {
			if branch == 1 {
				git("checkout", "-q", "-b", "two")
			}
			for i := range files {
				// Half of the second branch's changes are new files in new
				// directories; the way back removes them.
				name := fmt.Sprintf("d%d/f%d.go", i%100, i)
				if branch == 1 && i%2 == 1 {
					name = fmt.Sprintf("new%d/f%d.go", i%100, i)
				}
				if err := makeFile(dir, name, text); err != nil {
					t.Fatal(err)
				}
			}
			git("add", ".")
			git("commit", "-q", "-m", "all")
		}
		git("checkout", "-q", "one")
		flags := []string{"-d", "none", "-r", `\.go$`, "--", "echo", "run"}
		if sd.name == "hr" {
			flags = append([]string{"--json"}, flags...)
		}
		w := begin(t, sd, dir, flags, "")
		w.awaitWatches()
		w.awaitListed()
		for _, branch := range []string{"two", "one"} {
			before := len(w.errors())
			saved := time.Now()
			git("checkout", "-q", branch)
			gitTook := time.Since(saved)
			runs, ended := len(w.take(1, time.Second)), 0
			select {
			case <-w.done:
				ended = 1
				fmt.Printf("# checkout: %s has ended: %s\n", sd.name, w.errors())
				if sd.name == "hr" {
					t.Error("hr has ended")
				}
			default:
			}
			if sd.name != "hr" {
				// Reflex does not tell which paths a run is for.
				report("checkout", sd.name, runs, "runs/op", ended, "ended/op")
				continue
			}
			got, at := pathsOf(t, w.errors()[before:])
			report("checkout", sd.name, at.Sub(saved.Add(gitTook)).Nanoseconds(), "ns/op", runs, "runs/op", files-got, "lost/op", ended, "ended/op")
			fmt.Printf("# checkout: git took %v, the command started %v after that; %d paths in %d runs\n",
				gitTook.Round(time.Millisecond), at.Sub(saved.Add(gitTook)).Round(time.Millisecond), got, runs)
			if runs != 1 || got != files {
				t.Errorf("%d runs for %d paths, want one for %d", runs, got, files)
			}
		}
	}
}

// awaitListed waits until hr knows what the tree holds.
func (w *watcherRun) awaitListed() {
	if w.sd.name != "hr" {
		return
	}
	deadline := time.Now().Add(patience)
	for !strings.Contains(w.errors(), `"event":"watching"`) && time.Now().Before(deadline) {
		<-time.After(time.Millisecond)
	}
}

// pathsOf counts the paths of the runs in hr's events, and returns when the
// first began.
func pathsOf(t *testing.T, events string) (paths int, begin time.Time) {
	t.Helper()
	for line := range strings.Lines(events) {
		var e struct {
			Event string
			Data  struct {
				Paths     []string
				StartTime time.Time
			}
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if e.Event == "run" {
			paths += len(e.Data.Paths)
			if begin.IsZero() {
				begin = e.Data.StartTime
			}
		}
	}
	return paths, begin
}

// idle measures both watchers at once on trees of 20,000 files.
func idle(t *testing.T) {
	const files, rest = 20000, 20 * time.Second
	var running []*watcherRun
	var ready []time.Duration
	for _, sd := range sides(t) {
		dir := t.TempDir()
		for i := range files {
			if err := makeFile(dir, fmt.Sprintf("d%d/e%d/f%d.go", i%50, i%1000, i), ""); err != nil {
				t.Fatal(err)
			}
		}
		begun := time.Now()
		w := begin(t, sd, dir, []string{"-r", `\.go$`, "--", "echo", "run"}, "")
		w.awaitWatches()
		ready = append(ready, time.Since(begun))
		running = append(running, w)
	}
	<-time.After(2 * time.Second) // what the start left to do
	before := []time.Duration{running[0].busy(t), running[1].busy(t)}
	<-time.After(rest)
	used := map[string]time.Duration{}
	for i, w := range running {
		used[w.sd.name] = w.busy(t) - before[i]
		report("ready", w.sd.name, ready[i].Nanoseconds(), "ns/op", before[i].Nanoseconds(), "cpu-ns/op")
		report("idle", w.sd.name, float64(used[w.sd.name].Nanoseconds())/rest.Seconds(), "cpu-ns/s", w.memory(t), "rss-bytes")
	}
	// Below the grain of what the kernel and the Go runtime do by themselves
	// there is nothing to compare.
	const grain = 5 * time.Millisecond
	if used["hr"] > used["reflex"]+grain {
		t.Errorf("in %v hr used %v, reflex %v", rest, used["hr"], used["reflex"])
	}
}

// busy is the processor time of the program's threads (Documentation/scheduler/sched-stats.rst).
func (w *watcherRun) busy(t *testing.T) time.Duration {
	t.Helper()
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", w.cmd.Process.Pid))
	var sum time.Duration
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			continue // a thread that has just ended
		}
		ns, err := strconv.ParseInt(strings.Fields(string(data))[0], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += time.Duration(ns)
	}
	return sum
}

// memory is the resident set in bytes.
func (w *watcherRun) memory(t *testing.T) int {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.Atoi(strings.Fields(v)[0])
			return kb << 10
		}
	}
	t.Fatal("no VmRSS")
	return 0
}
