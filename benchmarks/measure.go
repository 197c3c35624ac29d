package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

const (
	// waitLimit bounds every start and every wait for caddy: on a loaded machine
	// go build takes half a minute for an edit of it.
	waitLimit = 2 * time.Minute
	// firstLimit bounds the first start of a copy: with an empty build cache that
	// is the standard library and all of caddy, minutes on a loaded machine.
	firstLimit = 6 * time.Minute
)

// rest lies between two samples, so that what a tool does behind its answer is
// not paid by the next one.
const rest = 150 * time.Millisecond

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// values are what one sample measured, by unit.
type values map[string]float64

// of returns the value of a unit, if there is one.
func (v values) of(unit string) (float64, bool) {
	if unit == unitRest {
		all, known := v[unitTime]
		compile, told := v[unitCompile]
		return all - compile, known && told
	}
	x, ok := v[unit]
	return x, ok
}

func timed(d time.Duration, a answers) values {
	return values{unitTime: float64(d.Nanoseconds()), unitRefused: float64(a.refused), unitDropped: float64(a.dropped)}
}

// fail adds what the tool said to an error of a wait.
func (s *seat) fail(what string, err error) error {
	out := ""
	if s.proc != nil {
		out = "\n" + s.proc.tail()
	}
	return fmt.Errorf("%s, %s: %s: %w%s", s.prog.name, s.tool.name(), what, err, strings.TrimRight(out, "\n"))
}

// startOnce times a start to the first response that is accepted.
func (s *seat) startOnce(ctx context.Context, path string, accept func(string) bool) (values, error) {
	limit := waitLimit
	if !s.started {
		limit, s.started = firstLimit, true
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	begin := time.Now()
	if err := s.tool.start(ctx, s); err != nil {
		return nil, s.fail("start", err)
	}
	a, err := s.probe.until(ctx, path, accept)
	if err != nil {
		return nil, s.fail("no response after the start", err)
	}
	// Refusals are no news before there is a program.
	return values{unitTime: float64(a.at.Sub(begin).Nanoseconds())}, nil
}

// startRested starts the tool and, of hr, waits until what hrd does behind the
// first response is done.
func (s *seat) startRested(ctx context.Context) (values, error) {
	v, err := s.startOnce(ctx, s.prog.path, serving)
	if t, ok := s.tool.(hr); ok && err == nil {
		err = t.idle(ctx)
	}
	return v, err
}

// end stops the tool and waits until its address is free.
func (s *seat) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, waitLimit)
	defer cancel()
	s.tool.stop(s)
	return s.probe.gone(ctx)
}

// editOnce saves an edit and times the first response that shows it.
func (s *seat) editOnce(ctx context.Context, e edit) (values, error) {
	ctx, cancel := context.WithTimeout(ctx, s.prog.wait())
	defer cancel()
	if !s.updates() {
		return s.compileOnce(ctx, e)
	}
	begin, err := s.src.save(e)
	if err != nil {
		return nil, err
	}
	type end struct {
		answers
		err error
	}
	seen := make(chan end, 1)
	go func() {
		a, err := s.probe.until(ctx, e.path, showing(e.want))
		seen <- end{a, err}
	}()
	if err := s.tool.saved(ctx, s); err != nil {
		cancel()
		<-seen
		return nil, s.fail("save "+e.file, err)
	}
	got := <-seen
	if got.err != nil {
		return nil, s.fail("nothing shows "+e.want, got.err)
	}
	return timed(got.at.Sub(begin), got.answers), nil
}

// errorOnce saves a file that does not parse and times the line that says so.
func (s *seat) errorOnce(ctx context.Context, e edit) (values, error) {
	ctx, cancel := context.WithTimeout(ctx, s.prog.wait())
	defer cancel()
	if _, loop := s.tool.(goBuild); loop {
		begin, err := s.src.save(e)
		if err != nil {
			return nil, err
		}
		err = s.tool.saved(ctx, s)
		at := time.Now()
		if err == nil || !strings.Contains(err.Error(), "syntax error") {
			return nil, s.fail("no syntax error", err)
		}
		return values{unitTime: float64(at.Sub(begin).Nanoseconds())}, nil
	}
	return s.lineOnce(ctx, e, func(text string) bool {
		return strings.Contains(text, e.file[strings.LastIndex(e.file, "/")+1:]+":") && strings.Contains(text, "syntax error")
	}, "broken")
}

// quietOnce saves an edit that no response can show and times what the tool has
// to say: hr that there is nothing to do, a rival that it has started anew.
func (s *seat) quietOnce(ctx context.Context, e edit) (values, error) {
	ctx, cancel := context.WithTimeout(ctx, s.prog.wait())
	defer cancel()
	return s.lineOnce(ctx, e, func(text string) bool { return strings.Contains(text, s.prog.ready) }, "nothing")
}

// lineOnce times a line of output: a rival's, or an event of hr. Of hr it is
// also seen whether a tool ran and whether the program is another than before.
func (s *seat) lineOnce(ctx context.Context, e edit, rival func(string) bool, name string) (values, error) {
	match := rival
	t, isHr := s.tool.(hr)
	var before state
	if isHr {
		match = told(name, e.file)
		var err error
		if before, err = t.state(ctx, s); err != nil {
			return nil, s.fail("state", err)
		}
	}
	from := s.proc.seen()
	begin, err := s.src.save(e)
	if err != nil {
		return nil, err
	}
	l, err := s.proc.find(ctx, from, match)
	if err != nil {
		return nil, s.fail("no line about "+e.file, err)
	}
	v := values{unitTime: float64(l.at.Sub(begin).Nanoseconds())}
	if isHr {
		pause(ctx, rest) // what would be started wrongly is started by now
		after, err := t.state(ctx, s)
		if err != nil {
			return nil, s.fail("state", err)
		}
		v[unitTools], v[unitRestarts] = after.since(before)
	}
	return v, nil
}

// state tells what hr and hrd have run so far.
type state struct {
	reaped  int64 // of hr and hrd together
	program string
}

func (t hr) state(ctx context.Context, s *seat) (state, error) {
	st, err := t.status(ctx)
	if err != nil {
		return state{}, err
	}
	pid := childPid(s.proc)
	return state{
		reaped:  reaped(st.Pid) + reaped(s.proc.cmd.Process.Pid),
		program: fmt.Sprint(pid, " ", startTime(pid)),
	}, nil
}

// since tells, as 0 or 1, whether a tool ran and whether the program is another.
func (now state) since(before state) (tools, restarts float64) {
	if now.reaped != before.reaped {
		tools = 1
	}
	if now.program != before.program {
		restarts = 1
	}
	return tools, restarts
}
