package main

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/supervisor"
)

// This file is about starts that fail: a generation that exits before it is
// ready, or is not ready in time. It is never simply tried again: the same
// program with the same surroundings would fail again.

// startFailed tells why a start that is through was none, "" if it was one.
func (r *runner) startFailed(l launch) (why string) {
	if !over(l.gen.Done()) {
		switch {
		case l.err != nil:
			return "it is not ready: " + reason(l.err)
		case r.ready.tcp && !r.sup.Listens(), r.flags.readyTimeout > 0 && !r.ready.asks() && r.good.listened && !r.sup.Listens():
			return "it does not listen"
		}
		return ""
	}
	e := l.gen.Exit()
	switch {
	case over(l.gen.Ready()), r.interrupted(l.gen):
		return ""
	case e.Code == 0 && !r.ready.explicit() && !r.good.listened:
		return "" // a program that does its work and ends
	}
	return "it ended with " + e.String() + " before it was ready"
}

// onFailed shows a failed start, of one that is through or one that was told, and goes back to the last good program.
func (r *runner) onFailed(l launch, why string) {
	exited := over(l.gen.Done())
	if exited {
		r.exited = nil // this is how it is told
		l.output.settle()
	}
	late := r.onTrial(l.gen)
	back, ok := r.goBack(l)
	f := event.Failed{Generation: l.gen.ID, Pid: l.gen.Pid, Files: l.names, Why: why, Exited: exited, Late: late, Output: l.output.lines(true), Total: time.Since(l.from), Outcome: told(l.out)}
	if exited {
		f.Code = l.gen.Exit().Status()
	}
	if ok {
		f.Back = r.good.id
	}
	if lines := l.output.lines(false); len(lines) > 0 {
		r.tell(event.Output{Text: strings.Join(lines, "\n"), Program: true})
	}
	r.tell(f)
	r.report.startFailed(f)
	if exited {
		r.namePortOwner(f.Output)
	}
	r.sup.Explain("the program of " + f.Story() + "\n" + l.output.told(f.Output))
	r.answer(askReply{Generation: l.gen.ID, Pid: l.gen.Pid, Error: f.Story()})
	if ok {
		r.start(back)
	}
}

// onGood remembers a program that became ready.
func (r *runner) onGood(l launch) {
	if l.back {
		r.tell(event.Back{Generation: l.gen.ID, Pid: l.gen.Pid, Of: r.good.id, Took: time.Since(l.from)})
	}
	if !l.back {
		r.report.startGood()
	}
	r.beginTrial(l)
	if r.good.listened && r.sup.Handover() != "full" {
		r.good.ports = l.gen.ListeningPorts()
	}
}

// namePortOwner says who has the port that the program could not have.
func (r *runner) namePortOwner(output []string) {
	ports := slices.Clone(r.good.ports)
	for _, line := range output {
		if m := inUse.FindStringSubmatch(line); m != nil {
			if port, err := strconv.Atoi(m[1]); err == nil && !slices.Contains(ports, port) {
				ports = append(ports, port)
			}
		}
	}
	for _, port := range ports {
		if pid, name, ok := supervisor.PortOwner(port); ok && pid != os.Getpid() && (r.gen == nil || pid != r.gen.Pid) {
			r.tell(event.Port{Port: port, Pid: pid, Owner: name})
		}
	}
}

// inUse is how Go's net package words EADDRINUSE.
var inUse = regexp.MustCompile(`:(\d+): bind: address already in use`)

// interrupted tells that a Ctrl-C that only the program saw has ended it.
func (r *runner) interrupted(g *supervisor.Generation) bool {
	e := g.Exit()
	return g.HadTerminal() && (e.Signal == os.Interrupt || e.Code == exitInterrupted)
}

// reason is the innermost error: the outer ones say what the line says anyway.
func reason(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

func over(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}
