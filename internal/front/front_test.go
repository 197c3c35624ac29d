package front

import (
	"flag"
	"strings"
	"testing"
)

var (
	simSteps = flag.Int("steps", 1_000_000, "steps of the simulation")
	simSeed  = flag.Uint64("seed", 0, "run this world alone")
)

// worldSteps is how long one world lives: long enough for a few deaths of hrd.
const worldSteps = 60

// restSteps is more than anything needs to come to rest.
const restSteps = 500

// runWorld lets a world live and come to rest, and returns what is wrong.
func runWorld(seed uint64) *world {
	w := newWorld(seed)
	for range worldSteps {
		w.step(false)
		if w.fault != "" {
			return w
		}
	}
	w.comeToRest()
	return w
}

// comeToRest checks what must be true when the disk stands still and all tools
// have answered; then one more save must lead to its program.
func (w *world) comeToRest() {
	w.rest()
	w.log("one more save")
	w.disk = disk{}
	for _, p := range paths {
		w.disk[p] = content{there: p != "/m/new.go", version: 9, noInput: p == "/m/notes.txt" || p == "/m/x_test.go"}
		w.saves = append(w.saves, p)
	}
	w.rest()
	if w.fault == "" && (!w.live || w.running.key() != w.disk.key()) {
		w.failf("a save does not lead to its program: live %v, has %s, disk %s", w.live, w.running.key(), w.disk.key())
	}
}

func (w *world) rest() {
	for n := 0; w.fault == "" && w.step(true); n++ {
		if n > restSteps {
			w.failf("it does not come to rest")
		}
	}
	if w.fault != "" {
		return
	}
	m := w.m
	switch {
	case m.ask.building || m.ask.opening || m.ask.awaiting && w.session || m.program.launching || m.program.next != nil || m.source.held != nil && m.ask.session:
		w.failf("stuck: building %v opening %v awaiting %v launching %v next %v held %v",
			m.ask.building, m.ask.opening, m.ask.awaiting, m.program.launching, m.program.next != nil, m.source.held != nil)
	case m.program.live != w.live:
		w.failf("live is %v, and the child's is %v", m.program.live, w.live)
	case len(m.program.waiting) > 0:
		w.failf("a restart is not answered")
	case w.disk.good() && !w.ended && (!w.live || w.running.key() != w.disk.key()):
		w.failf("at rest, live %v, the program has %s, the disk %s", w.live, w.running.key(), w.disk.key())
	}
}

// TestSim lets many worlds live.
func TestSim(t *testing.T) {
	if *simSeed != 0 {
		w := runWorld(*simSeed)
		t.Logf("%s", strings.Join(w.trace, "\n"))
		if w.fault != "" {
			t.Fatal(w.fault)
		}
		return
	}
	total, worlds := 0, uint64(1)
	for ; total < *simSteps; worlds++ {
		w := runWorld(worlds)
		if w.fault != "" {
			t.Fatalf("world %d: %s\ngo test ./internal/front -run TestSim -v -seed=%d", worlds, w.fault, worlds)
		}
		total += w.steps
	}
	t.Logf("%d worlds, %d steps", worlds, total)
}
