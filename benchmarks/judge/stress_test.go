//go:build stress && linux

package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hotreflex/hr/benchmarks/judge/edits"
)

var (
	stressFor  = flag.Duration("for", 30*time.Second, "how long to edit")
	stressSeed = flag.Uint64("seed", 0, "seed of the edits; 0 for a new one")
	sharing    = flag.Int("sharing", 8, "sessions on one module")
	alone      = flag.Int("alone", 8, "sessions on a module each")
)

// TestStress has many sessions at work in one hrd, with hr and hrd built with
// the race detector: random edits, fronts that are stopped in the middle and
// started again. In the end each has the program of go build, and nothing has
// grown.
func TestStress(t *testing.T) {
	seed := *stressSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano() % 1e9)
	}
	t.Logf("seed %d", seed)
	w := newStress(t, seed)
	w.open()
	before := w.figures()
	t.Logf("before: %s", before)
	w.edit(*stressFor)
	w.settle()
	after := w.figures()
	t.Logf("after:  %s", after)
	t.Logf("%d edits, %d fronts stopped and started again", w.edits.Load(), w.restarts.Load())
	for _, s := range w.all {
		s.end()
	}
	empty := w.waitEmpty()
	t.Logf("no session left: %s", empty)
	// The daemon's own count may move by a connection or a timer.
	const slack = 12
	if after.goroutines > before.goroutines+slack || empty.goroutines > before.goroutines {
		t.Errorf("goroutines grew from %d to %d, and are %d without a session", before.goroutines, after.goroutines, empty.goroutines)
	}
	if after.files > before.files+slack || empty.files > before.files {
		t.Errorf("open files grew from %d to %d, and are %d without a session", before.files, after.files, empty.files)
	}
	if empty.children > 0 {
		t.Errorf("hrd still has %d processes", empty.children)
	}
	if empty.temps > 0 {
		t.Errorf("temporary files are left: %v", w.tempNames())
	}
	log := stopDaemon(w.bin, w.env)
	if strings.Contains(log, "DATA RACE") || strings.Contains(log, "panic") {
		t.Errorf("log of hrd:\n%s", log)
	}
}

// stress is one hrd with all its fronts.
type stress struct {
	t        *testing.T
	bin      string
	env      []string
	temp     string
	trees    []*stressTree
	all      []*session
	rand     *rand.Rand
	edits    atomic.Int64
	restarts atomic.Int64
}

// stressTree is a module and the fronts that follow it.
type stressTree struct {
	j        *judge
	names    []string // build context of each session
	rand     *rand.Rand
	mu       sync.Mutex // one edit or restart at a time
	sessions []*session
}

func newStress(t *testing.T, seed uint64) *stress {
	base := t.TempDir()
	w := &stress{t: t, bin: buildCommands(t, "-race"), temp: filepath.Join(base, "temp"), rand: rand.New(rand.NewPCG(seed, 0))}
	if err := os.Mkdir(w.temp, 0o755); err != nil {
		t.Fatal(err)
	}
	run, err := os.MkdirTemp("", "hr") // short: the path of a socket has 108 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(run) })
	w.env = append(os.Environ(), "GOFLAGS=", "GOWORK=", "GOENV=off", "GOTOOLCHAIN=local", "GOPROXY=off", "GOSUMDB=off", "CGO_ENABLED=0",
		"TMPDIR="+w.temp, "HR_CACHE_DIR="+filepath.Join(base, "cache"), "HR_RUNTIME_DIR="+filepath.Join(run, "r"))
	o := &options{bin: w.bin, linker: "auto", every: 1, out: os.Stderr}
	contexts := []string{"default", "dev", "386", "default"}
	for i := range 1 + *alone {
		dir := filepath.Join(base, fmt.Sprintf("tree%d", i))
		p, err := edits.Make("mixed", dir, "", w.env)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(p.Dir, probeDir), 0o755); err != nil {
			t.Fatal(err)
		}
		// All packages compiled anew, and directories of the module cache: time
		// that others would wait for.
		p.Not = []string{"default.pgo", "vendor"}
		st := &stressTree{
			j:    &judge{o: o, base: dir, p: p, env: w.env, tally: newTally()},
			rand: rand.New(rand.NewPCG(seed, uint64(i)+1)), names: []string{"default"},
		}
		if i == 0 {
			st.names = nil
			for n := range *sharing {
				st.names = append(st.names, contexts[n%len(contexts)])
			}
		}
		w.trees = append(w.trees, st)
	}
	return w
}

// open starts all fronts.
func (w *stress) open() {
	for _, st := range w.trees {
		st.sessions = make([]*session, len(st.names))
		for i := range st.names {
			if err := st.start(w, i); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	w.settle()
}

func (st *stressTree) start(w *stress, i int) error {
	name := st.names[i]
	c := contexts[name]
	words := append([]string{"run", "--json", "--linker=auto"}, append(slices.Clone(st.j.p.Flags), c.flags...)...)
	s, err := startSession(name, w.bin, st.j.p.Dir, append(slices.Clone(w.env), c.env...), append(words, st.j.p.Package)...)
	if err != nil {
		return err
	}
	st.sessions[i] = s
	w.all = append(w.all, s)
	return nil
}

// edit edits all trees at once.
func (w *stress) edit(d time.Duration) {
	ctx, cancel := context.WithTimeout(w.t.Context(), d)
	defer cancel()
	var wg sync.WaitGroup
	for _, st := range w.trees {
		wg.Go(func() {
			for pause(ctx, time.Duration(20+st.rand.Int64N(2000))*time.Millisecond) {
				if _, err := st.j.p.Apply(st.j.p.Next(st.rand, edits.Kinds(), 0.4)); err != nil {
					w.t.Errorf("edit: %v", err)
					return
				}
				w.edits.Add(1)
			}
		})
	}
	// One at a time: all is in order with the sessions that nobody stops.
	for pause(ctx, 500*time.Millisecond) {
		st := w.trees[w.rand.IntN(len(w.trees))]
		i := w.rand.IntN(len(st.sessions))
		old := st.sessions[i]
		old.end()
		w.races(old)
		if err := st.start(w, i); err != nil {
			w.t.Error(err)
		}
		w.restarts.Add(1)
	}
	wg.Wait()
}

// settle takes all edits back and wants the program of go build of everyone.
func (w *stress) settle() {
	for i, st := range w.trees {
		for st.j.p.Depth() > 0 {
			if _, err := st.j.p.Apply(edits.Step{Kind: edits.Undo}); err != nil {
				w.t.Fatalf("tree %d: %v", i, err)
			}
		}
		for _, s := range st.sessions {
			ctx, cancel := context.WithTimeout(w.t.Context(), 2*settleLimit)
			err := st.j.probe(ctx, s)
			if err == nil {
				err = s.ask(ctx)
			}
			if err == nil {
				err = st.j.look(ctx, s, "end", "all edits taken back")
			}
			if err != nil {
				w.t.Errorf("tree %d: %v", i, err)
			}
			cancel()
			w.races(s)
		}
	}
}

func (w *stress) races(s *session) {
	if text := s.screen(); strings.Contains(text, "DATA RACE") {
		w.t.Errorf("data race in hr:\n%s", text)
	}
}

// figures are what must not grow.
type figures struct {
	goroutines, files, children, temps int
	store, archives, bins, rss         int64
	sessions                           int
}

func (f figures) String() string {
	return fmt.Sprintf("%d sessions, %d goroutines, %d open files, %d processes of hrd, %d temporary files, store %d KB, archives %d MB, artifacts %d MB, %d MB resident",
		f.sessions, f.goroutines, f.files, f.children, f.temps, f.store>>10, f.archives>>20, f.bins>>20, f.rss>>20)
}

func (w *stress) figures() figures {
	cmd := exec.Command(filepath.Join(w.bin, "hrd"), "status", "--json")
	cmd.Env = w.env
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatalf("hrd status: %v", err)
	}
	var st struct {
		Pid        int
		Goroutines int
		RSS        int64
		Sessions   []struct{}
		Store      struct{ Bytes int64 }
		Archives   struct{ Bytes int64 }
		Artifacts  struct{ Bytes int64 }
	}
	if err := json.Unmarshal(out, &st); err != nil {
		w.t.Fatalf("hrd status: %v", err)
	}
	fds, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", st.Pid))
	return figures{
		goroutines: st.Goroutines, files: len(fds), children: len(children(st.Pid)), temps: len(w.tempNames()), sessions: len(st.Sessions),
		store: st.Store.Bytes, archives: st.Archives.Bytes, bins: st.Artifacts.Bytes, rss: st.RSS,
	}
}

// waitEmpty waits until hrd has no session and nothing to do.
func (w *stress) waitEmpty() figures {
	var f figures
	for range 600 {
		f = w.figures()
		if f.sessions == 0 && f.children == 0 && f.temps == 0 {
			break
		}
		pause(w.t.Context(), 100*time.Millisecond)
	}
	return f
}

// tempNames are the temporary files of hr, hrd and what they run.
func (w *stress) tempNames() []string {
	entries, _ := os.ReadDir(w.temp)
	names := map[string]bool{}
	for _, d := range entries {
		if !strings.HasPrefix(d.Name(), "hr-") || strings.HasPrefix(d.Name(), "hr-build") || strings.HasPrefix(d.Name(), "hr-record") {
			names[d.Name()] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// children returns the processes that a process has started and not yet seen
// the end of.
func children(pid int) []int {
	var out []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		data, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(data), ") ")
		fields := strings.Fields(rest)
		if len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			if n, err := strconv.Atoi(filepath.Base(filepath.Dir(name))); err == nil {
				out = append(out, n)
			}
		}
	}
	return out
}
