package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hotreflex/hr/internal/engine"
	"github.com/hotreflex/hr/internal/protocol"
	"github.com/hotreflex/hr/internal/supervisor"
)

// This file is about starts that fail: a generation that exits before it is
// ready, or is not ready in time. It is never simply tried again: the same
// program with the same surroundings would fail again.

// failure is the data of a failed event.
type failure struct {
	Generation int           `json:"generation"`
	Pid        int           `json:"pid"`
	Files      []string      `json:"files,omitempty"`
	Why        string        `json:"why"`
	Exited     bool          `json:"exited"`
	Late       bool          `json:"late,omitempty"` // it had been told as started
	Code       int           `json:"code,omitempty"`
	Output     []string      `json:"output,omitempty"` // its last lines, if hr sees them
	Total      time.Duration `json:"total"`

	// Outcome is the build that made the program; none if it was there already.
	Outcome *engine.Outcome `json:"outcome,omitempty"`
}

// noStart is the data of the error event of a program that the system does not
// run.
type noStart struct {
	*protocol.Error
	Outcome *engine.Outcome `json:"outcome,omitempty"` // the build that made it
}

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
	number, late := fmt.Sprintf("#%d", l.gen.ID), r.onTrial(l.gen)
	back, ok := r.goBack(l)
	then := "; waiting for a change"
	switch {
	case ok:
		then = fmt.Sprintf("; starting the program of #%d again", r.good.id)
	case !exited:
		then = "; it keeps running"
	}
	text := number + " failed to start: " + why
	if names := l.names; len(names) > 0 {
		text = join(names) + " → " + text
	}
	if lines := l.output.lines(false); len(lines) > 0 {
		r.c.screen.output(strings.Join(lines, "\n"))
	}
	data := failure{Generation: l.gen.ID, Pid: l.gen.Pid, Files: l.names, Why: why, Exited: exited, Late: late, Output: l.output.lines(true), Total: time.Since(l.from), Outcome: told(l.out)}
	if exited {
		data.Code = l.gen.Exit().Status()
	}
	r.c.screen.say("failed", red, text+then, data)
	r.report.startFailed(data)
	if exited {
		r.namePortOwner(data.Output)
	}
	r.sup.Explain("the program of " + text + "\n" + l.output.told(data.Output))
	r.answer(askReply{Generation: l.gen.ID, Pid: l.gen.Pid, Error: text})
	if ok {
		r.start(back)
	}
}

// onGood remembers a program that became ready.
func (r *runner) onGood(l launch) {
	if l.back {
		r.c.screen.say("back", green, fmt.Sprintf("the program of #%d runs again, started in %s (#%d)", r.good.id, ms(time.Since(l.from)), l.gen.ID),
			map[string]any{"generation": l.gen.ID, "pid": l.gen.Pid, "of": r.good.id})
	}
	r.behind = l.back
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
			r.c.screen.say("port", yellow, fmt.Sprintf("port %d is held by %s (process %d)", port, name, pid), map[string]any{
				"port": port, "pid": pid, "name": name,
			})
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
