package main

import (
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/supervisor"
)

// This file is about programs that open their port before they can fail: they
// count as started, and end with an error a moment later without having served
// anybody. For --trial such an end is a failed start. Each failure goes back to
// an older program that was good, never to a newer one, so there is no loop.

// good is a program that became ready, with its environment: what a failed start
// goes back to.
type good struct {
	artifact order.Artifact
	env      []string
	id       int   // of its first generation
	newest   int   // of its last
	passed   bool  // its trial: it is not to blame for what goes wrong later
	listened bool  // on some socket
	ports    []int // that it held, where hr does not hold them itself
}

// beforeMost is how many programs are remembered that were replaced while on
// trial, beside the one that had passed: as many as one saves in those seconds.
const beforeMost = 2

// is tells whether a launch is of this program.
func (g good) is(l launch) bool {
	return g.newest != 0 && l.gen != nil && g.newest == l.gen.ID || g.artifact.Key == l.artifact.Key && slices.Equal(g.env, l.env)
}

// trial is what r.gen goes through since it counts as started.
type trial struct {
	launch launch
	from   time.Time
}

// trialTime is how long a trial takes, 0 where there is none: the user who said
// what ready means meant it.
func (f *superviseFlags) trialTime(r readiness) time.Duration {
	if r.explicit() {
		return 0
	}
	return f.trial
}

// beginTrial makes the program of l the one to go back to.
func (r *runner) beginTrial(l launch) {
	last := r.good
	if last.is(l) {
		r.good.newest = l.gen.ID
	} else {
		if last.passed {
			r.before = nil // nothing goes back behind it
		}
		if last.artifact.Path != "" {
			r.before = append(r.before, last)
		}
		if len(r.before) > beforeMost {
			r.before = slices.Delete(r.before, 1, 2)
		}
		r.good = good{id: l.gen.ID, newest: l.gen.ID, passed: r.flags.trialTime(r.ready) == 0}
	}
	r.good.artifact, r.good.env, r.good.listened = l.artifact, l.env, r.sup.Listens() || r.ready.asks()
	r.trial = trial{l, l.gen.Started.Add(l.timing.Ready)}
}

// settleTrial notes that the program which is about to be replaced has lived long
// enough.
func (r *runner) settleTrial() {
	if r.exited != nil && r.onTrial(r.gen) && time.Since(r.trial.from) >= r.flags.trial {
		r.good.passed = true
	}
}

func (r *runner) onTrial(g *supervisor.Generation) bool {
	return g != nil && r.trial.launch.gen == g && r.good.newest == g.ID
}

// failedLate tells why the end of the program makes its start a failed one, ""
// if it does not.
func (r *runner) failedLate() (why string) {
	e := r.gen.Exit()
	after := e.At.Sub(r.trial.from)
	if !r.onTrial(r.gen) || r.flags.trialTime(r.ready) == 0 || after > r.flags.trial || e.Code == 0 || stoppedByHand(e) {
		return ""
	}
	if answered, known := r.gen.Answered(); answered || !known {
		return ""
	}
	return fmt.Sprintf("it ended with %s, %s after it began to listen", e, event.Duration(max(after, 0)))
}

// stoppedByHand: signals by which somebody else tells a program to end.
func stoppedByHand(e supervisor.Exit) bool {
	return e.Signal == os.Interrupt || e.Signal == syscall.SIGTERM
}

// surelyGood is the program that must not get lost while others are built.
func (r *runner) surelyGood() order.Artifact {
	if !r.good.passed && len(r.before) > 0 {
		return r.before[0].artifact
	}
	return r.good.artifact
}

// forgetGood puts the one before in the place of a program that was not good.
func (r *runner) forgetGood() {
	listened := r.good.listened // the habit stays
	r.good = good{}
	if n := len(r.before); n > 0 {
		r.good, r.before = r.before[n-1], r.before[:n-1]
	}
	r.good.listened = r.good.listened || listened
}

// goBack makes the launch of the last good program, if there is one that is
// not what has just failed.
func (r *runner) goBack(l launch) (launch, bool) {
	if r.good.is(l) && !r.good.passed {
		r.forgetGood()
	}
	for r.good.gone() {
		r.forgetGood()
	}
	if r.good.artifact.Path == "" || r.good.is(l) || !r.flags.keepLastGood.or(r.sup.Handover() == "full") {
		return launch{}, false
	}
	return launch{artifact: r.good.artifact, env: r.good.env, from: time.Now(), back: true}, true
}

// gone tells that another artifact took its place: hrd keeps those it knows of.
func (g good) gone() bool {
	if g.artifact.Path == "" {
		return false
	}
	_, err := os.Stat(g.artifact.Path)
	return err != nil
}
