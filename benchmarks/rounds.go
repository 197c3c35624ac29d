package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
)

// job runs the rounds of a case. In every round each tool has one turn, and
// every round begins with another tool: what the machine does besides falls on
// all alike.
func (r *runner) job(ctx context.Context, seats map[string]*seat, j job) {
	began := time.Now()
	tools := strings.Fields(j.tools)
	if j.kind == editCase && !j.fresh {
		// The first save of a kind finds caches of hr that no later one does: it
		// is noted by itself.
		for _, name := range tools {
			if s := seats[name]; s != nil && s.ours() {
				r.turn(ctx, s, j, j.name+"-first")
			}
		}
	}
	for i := range j.count {
		for k := range tools {
			s := seats[tools[(i+k)%len(tools)]]
			if s == nil || s.rival() && i >= j.rivals {
				continue
			}
			r.turn(ctx, s, j, j.name)
		}
	}
	if j.fresh {
		for _, name := range tools {
			if s := seats[name]; r.ready(ctx, s) {
				if err := r.refresh(ctx, s); err != nil {
					r.stumble(ctx, s, j, err)
				}
			}
		}
	}
	r.say("  %-6s %-12s %4.0f s  %s", j.kind, j.name, time.Since(began).Seconds(), r.results.line(seatProgram(seats), j))
}

// turn takes one sample and notes it.
func (r *runner) turn(ctx context.Context, s *seat, j job, name string) {
	if !r.ready(ctx, s) {
		return
	}
	v, err := r.sample(ctx, s, j)
	if err != nil {
		if ctx.Err() == nil {
			r.stumble(ctx, s, j, err)
		}
		return
	}
	pause(ctx, rest)
	if s.ours() && j.kind == editCase {
		v.phases(s.proc) // its line comes after the response
	}
	r.add(j.kind, s, name, v)
	if s.proc != nil {
		r.told(s)
	}
}

// maxStumbles is how often a tool may fail with a program before it is left out.
const maxStumbles = 3

// stumble notes that a tool failed at a sample and starts it anew: a watcher
// that has lost its program once may do all other saves right.
func (r *runner) stumble(ctx context.Context, s *seat, j job, err error) {
	r.stumbles[s.id()]++
	if s.ours() || r.stumbles[s.id()] >= maxStumbles {
		r.drop(s, err)
		return
	}
	r.say("%v", err)
	r.results.note("%s failed at %s of %s: %s", label(s.tool.name()), j.name, s.prog.name, firstLine(err))
	err = s.end(ctx)
	if j.kind != startCase && err == nil {
		// The file may be one that does not parse: a known state is needed.
		_, err = s.src.save(s.prog.edits[s.prog.leaf].marked(r.mark()))
		if err == nil {
			_, err = s.startRested(ctx)
		}
	}
	if err != nil {
		r.drop(s, err)
	}
}

// firstLine leaves out of an error what the tool had printed.
func firstLine(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return text
}

// told prints what hr told last, if every sample is to be seen.
func (r *runner) told(s *seat) {
	if !r.o.verbose || !s.ours() {
		return
	}
	if e, ok := last(s.proc, func(e event) bool { return e.Text != "" }); ok {
		r.say("    %s: %s", s.tool.name(), e.Text)
	}
}

// ours tells hr from its rivals.
func (s *seat) ours() bool {
	_, ok := s.tool.(hr)
	return ok
}

// rival tells the tools that do what hr does. The compiler alone is none: hr's
// time is held against its time to some milliseconds, so it takes every round.
func (s *seat) rival() bool { return !s.ours() && s.updates() }

// ready tells whether a seat can take a turn.
func (r *runner) ready(ctx context.Context, s *seat) bool {
	if ctx.Err() != nil || s == nil || r.broken[s.id()] {
		return false
	}
	return r.inTime()
}

// inTime tells whether the budget lasts still, and says so once if not.
func (r *runner) inTime() bool {
	if time.Now().Before(r.until) {
		return true
	}
	if !r.results.cut {
		r.results.cut = true
		r.results.note("the time was used up before the plan was: some cases have fewer samples or none")
		r.say("the time is used up: what is left is not measured")
	}
	return false
}

func (r *runner) sample(ctx context.Context, s *seat, j job) (values, error) {
	if j.kind == startCase {
		return r.startSample(ctx, s, j)
	}
	if j.fresh {
		if err := r.refresh(ctx, s); err != nil {
			return nil, err
		}
	}
	e := s.prog.edits[j.name].marked(r.mark())
	switch j.kind {
	case editCase:
		return s.editOnce(ctx, e)
	case errorCase:
		return s.errorOnce(ctx, e)
	default:
		return s.quietOnce(ctx, e)
	}
}

// startSample times one start and ends it again.
func (r *runner) startSample(ctx context.Context, s *seat, j job) (values, error) {
	path, accept := s.prog.path, serving
	t, ours := s.tool.(hr)
	switch j.name {
	case "cold-hrd":
		if err := t.stopDaemon(ctx); err != nil {
			return nil, err
		}
	case "after-edit":
		e := s.prog.edits[s.prog.leaf].marked(r.mark())
		if _, err := s.src.save(e); err != nil {
			return nil, err
		}
		path, accept = e.path, showing(e.want)
	}
	var daemon status
	var ran int64
	if warm := ours && j.name == "unchanged"; warm {
		var err error
		if daemon, err = t.status(ctx); err != nil {
			return nil, err
		}
		ran = reaped(daemon.Pid)
	}
	v, err := s.startOnce(ctx, path, accept)
	if err == nil && daemon.Pid != 0 {
		v[unitTools] = 0
		if reaped(daemon.Pid) != ran {
			v[unitTools] = 1
		}
	}
	if ours && r.o.verbose {
		pause(ctx, rest) // its line comes after the response
		r.told(s)
	}
	return v, errors.Join(err, s.end(ctx))
}

// refresh brings a running program to a known state, untimed.
func (r *runner) refresh(ctx context.Context, s *seat) error {
	_, err := s.editOnce(ctx, s.prog.edits[s.prog.leaf].marked(r.mark()))
	pause(ctx, rest)
	return err
}

func (r *runner) mark() int {
	r.marks++
	return r.marks
}

func names(seats map[string]*seat) []string { return slices.Sorted(maps.Keys(seats)) }

func seatProgram(seats map[string]*seat) string {
	for _, s := range seats {
		return s.prog.name
	}
	return ""
}
