package main

import (
	"slices"

	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/protocol"
)

// This file keeps the files of programs that run, or may run again: argv[0] and
// the system name them, so while a generation lives its path must lead to what
// it is.

// takeHold keeps hold of the newest generation's artifact, and of those that may
// be started again; it lets go of the others.
func (r *runner) takeHold(l launch) {
	if l.gen == nil {
		l.hold.Release()
		return
	}
	r.unsound = false
	path := l.artifact.Path
	r.holds[path].Release() // the file may be another one of that name
	r.holds[path] = l.hold
	needed := []string{path, r.running.Path, r.good.artifact.Path}
	for _, g := range r.before {
		needed = append(needed, g.artifact.Path)
	}
	for path, h := range r.holds {
		if !slices.Contains(needed, path) {
			h.Release()
			delete(r.holds, path)
		}
	}
}

// onUnsound does what can be done about an artifact that may not be started: it
// was damaged or removed, or others may change it. Nothing was stopped for it.
// It is built once more; what is wrong then no build can mend.
func (r *runner) onUnsound(l launch) {
	if r.gen != nil && !over(r.gen.Done()) {
		r.exited = r.gen.Done()
	}
	r.running, r.early = order.Artifact{}, false
	again := !l.back && !r.unsound
	r.unsound = again
	if again {
		r.c.screen.Notice("%v: building it again", l.err)
		r.due = nil
		r.build(l.from, l.names)
		return
	}
	e := protocol.AsError(l.err)
	r.tell(event.Error{Error: e, Outcome: told(l.out)})
	r.answer(askReply{Error: l.err.Error()})
}
