package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/protocol"
	"github.com/hotreflex/hr/internal/supervisor"
)

// launch is one start of an artifact in place of the generation before, and
// how it went.
type launch struct {
	artifact order.Artifact
	from     time.Time // the event that caused it
	names    []string  // files of that event
	out      *order.Outcome
	rerun    bool     // of a program that ran before
	back     bool     // to the last good one, after a failed start
	env      []string // of the program; set by start unless given

	begin  time.Time
	hold   *order.Hold // of the artifact; nil if it may not be started
	gen    *supervisor.Generation
	timing supervisor.Timing
	err    error
	output *output
}

// spec is how the program is run: as a user would from this directory.
func (r *runner) spec(l launch) supervisor.Spec {
	path, args := l.artifact.Path, []string{l.artifact.Path} // as go run gives it
	if w := r.wrapper; len(w) > 0 {
		path, args = w[0], slices.Concat(w, []string{l.artifact.Path})
	}
	return supervisor.Spec{
		Path:   path,
		Args:   append(args, r.args...),
		Dir:    r.job.Dir,
		Env:    l.env,
		Stdin:  r.c.stdin,
		Stdout: l.output.stdout,
		Stderr: l.output.stderr,
	}
}

// start begins a launch. One that is under way is cut short: the supervisor ends
// what it has started before it starts anew.
func (r *runner) start(l launch) {
	r.running = l.artifact
	l.names = union(l.names, r.due)
	r.due = nil
	if r.launch != nil {
		r.launch()
		r.next = &l
		return
	}
	ctx, cancel := context.WithCancel(r.ctx)
	r.launch, l.begin = cancel, time.Now()
	r.launchedAt = l.begin
	r.churn.Started(l.begin)
	if !l.back {
		r.env.Read() // what cannot be read now was told, or will be
		l.env = r.env.Environ()
	}
	r.settleTrial()
	r.exited = nil // the old generation's end is wanted now
	r.wg.Go(func() {
		defer cancel()
		// Before the old generation ends: it is to go on if there is no other.
		if l.hold, l.err = order.HoldArtifact(l.artifact); l.err != nil {
			send(r.ctx, r.launches, l)
			return
		}
		if l.output, l.err = r.outputs.begin(); l.err == nil {
			l.gen, l.timing, l.err = r.sup.Replace(ctx, r.spec(l))
			r.outputs.started(l.output)
		}
		send(r.ctx, r.launches, l)
	})
}

// onLaunch takes a finished start over.
func (r *runner) onLaunch(l launch) {
	r.launch = nil
	if l.gen != nil {
		r.gen, r.exited = l.gen, l.gen.Done()
		r.report.started(l.gen.ID, l.gen.Pid)
	}
	r.takeHold(l)
	if r.next != nil {
		next := *r.next
		r.next = nil
		next.names = union(l.names, next.names)
		if next.rerun && !l.back {
			next.out = l.out
		}
		r.start(next)
		return
	}
	if l.hold == nil {
		r.onUnsound(l)
		return
	}
	if l.gen == nil {
		r.running = order.Artifact{}
		e := protocol.AsError(l.err)
		r.tell(event.Error{Error: e, Outcome: told(l.out)})
		r.answer(askReply{Error: l.err.Error()})
		return
	}
	r.keys.begin()
	if why := r.startFailed(l); why != "" {
		r.onFailed(l, why)
		return
	}
	if !l.back {
		r.showStart(l)
	}
	if r.failing || len(r.broken) > 0 {
		// A save that came while it started: what was told of that still holds.
		r.tell(event.Kept{Generation: r.keptID(), Trouble: event.NoBuild})
	} else {
		r.sup.Explain("")
	}
	r.onGood(l)
	r.answer(askReply{Generation: l.gen.ID, Pid: l.gen.Pid})
}

// alive tells that a program runs or is being started.
func (r *runner) alive() bool { return r.exited != nil || r.launch != nil }

// onExit tells that the program ended by itself. If it had the terminal and a
// Ctrl-C ended it, that Ctrl-C was for hr too.
func (r *runner) onExit() (code int, done bool) {
	r.exited = nil
	e := r.gen.Exit()
	if r.interrupted(r.gen) {
		return exitInterrupted, true
	}
	if why := r.failedLate(); why != "" {
		r.onFailed(r.trial.launch, why)
		return 0, false
	}
	r.sup.Explain("the program has ended: " + e.String())
	r.report.ended(e.String())
	r.tell(event.Exited{Code: e.Status(), How: e.String()})
	return 0, false
}

// onSignal stops the program and returns the exit code: gracefully at first, at
// once the second time.
func (r *runner) onSignal(sig os.Signal) int {
	if sig == os.Interrupt {
		r.c.screen.Interrupted()
	}
	r.drop()
	r.next = nil
	if r.launch != nil {
		r.launch()
		if l := <-r.launches; l.gen != nil {
			r.gen, r.exited = l.gen, l.gen.Done()
		}
		r.launch = nil
	}
	switch {
	case r.exited != nil:
	case r.gen != nil:
		return r.gen.Exit().Status()
	case r.failing || len(r.broken) > 0:
		return exitBuild
	default:
		return signalCode(sig)
	}
	first, gen := time.Now(), r.gen
	r.wg.Go(func() {
		if sig == syscall.SIGQUIT {
			r.askWhere(gen)
		}
		r.sup.Stop(context.WithoutCancel(r.ctx))
	})
	for {
		select {
		case <-r.gen.Done():
			if e := r.gen.Exit(); e.Signal == nil {
				return e.Code
			} else if e.Signal == syscall.SIGKILL {
				return e.Status()
			}
			return signalCode(sig) // of ours, in the name of the user's
		case <-r.signals:
			if time.Since(first) > onePress {
				r.sup.Kill()
				return exitInterrupted
			}
		}
	}
}

// askWhere passes Ctrl-\ on, which makes a Go program print its goroutines and
// end. Another stop signal meanwhile would cut that short.
func (r *runner) askWhere(g *supervisor.Generation) {
	if signalProcess(g.Pid, syscall.SIGQUIT) != nil {
		return
	}
	select {
	case <-g.Done():
	case <-time.After(r.flags.grace): // it handles the signal itself
	}
}

// onePress is how close together two signals count as one: a wrapper such as
// timeout(1) signals its child and then its whole group.
const onePress = 300 * time.Millisecond

func (r *runner) number() string {
	if r.gen == nil {
		return "#1"
	}
	return fmt.Sprintf("#%d", r.gen.ID)
}
