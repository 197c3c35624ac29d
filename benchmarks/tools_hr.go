package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// hr is the program under test, seen by its command line and its events.
type hr struct {
	watching
	label   string
	hr, hrd string
	flags   []string // beside the user's build flags
	env     []string // with directories for a daemon of its own
}

func (t hr) name() string  { return t.label }
func (t hr) place() string { return t.label }

func (t hr) start(_ context.Context, s *seat) (err error) {
	argv := append([]string{t.hr, "run", "--json"}, t.flags...)
	argv = append(argv, s.prog.goFlags()...)
	argv = append(append(argv, s.prog.pkg), s.args...)
	s.proc, err = start("hr", s.src.dir, s.env, argv...)
	return err
}

// event is a line of hr --json, as far as it is needed here.
type event struct {
	Event string `json:"event"`
	Text  string `json:"text"`
	Data  struct {
		Pid     int    `json:"pid"`
		File    string `json:"file"`
		Outcome *struct {
			Phases struct {
				Compile int64 `json:"compile"` // ns
				Link    int64 `json:"link"`
			} `json:"phases"`
		} `json:"outcome"`
	} `json:"data"`
}

// parseEvent reads a line; the program's own lines are no events.
func parseEvent(text string) (event, bool) {
	var e event
	if !strings.HasPrefix(text, "{") || json.Unmarshal([]byte(text), &e) != nil {
		return e, false
	}
	return e, e.Event != ""
}

// told accepts an event of a name about a file.
func told(name, file string) func(string) bool {
	return func(text string) bool {
		e, ok := parseEvent(text)
		return ok && e.Event == name && strings.HasSuffix(e.Data.File, filepath.FromSlash(file))
	}
}

// last returns the newest event that ok accepts.
func last(p *process, ok func(event) bool) (event, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.lines) - 1; i >= 0; i-- {
		if e, is := parseEvent(p.lines[i].text); is && ok(e) {
			return e, true
		}
	}
	return event{}, false
}

// childPid is the program's process as hr last told.
func childPid(p *process) int {
	e, _ := last(p, func(e event) bool { return e.Data.Pid != 0 && (e.Event == "start" || e.Event == "reload") })
	return e.Data.Pid
}

// phases adds what hr told of the last reload: its own times of the parts.
func (v values) phases(p *process) {
	if e, ok := last(p, func(e event) bool { return e.Event == "reload" }); ok && e.Data.Outcome != nil {
		v[unitCompile] = float64(e.Data.Outcome.Phases.Compile)
		v[unitLink] = float64(e.Data.Outcome.Phases.Link)
	}
}

// status is hrd status --json, as far as it is needed here.
type status struct {
	Pid int   `json:"pid"`
	RSS int64 `json:"rss"`

	Linker *struct {
		Bytes int64 `json:"bytes"` // of the linked programs that it holds
	} `json:"linker"`
}

func (t hr) status(ctx context.Context) (status, error) {
	var st status
	p, err := start("hrd status", "", t.env, t.hrd, "status", "--json")
	if err != nil {
		return st, err
	}
	l, err := p.find(ctx, 0, func(text string) bool { return strings.HasPrefix(text, "{") })
	p.kill()
	if err != nil {
		return st, fmt.Errorf("hrd status: %w\n%s", err, p.tail())
	}
	if err := json.Unmarshal([]byte(l.text), &st); err != nil || st.Pid == 0 {
		return st, fmt.Errorf("hrd status: %q is no status: %v", short(l.text), err)
	}
	return st, nil
}

// stopDaemon ends hrd.
func (t hr) stopDaemon(ctx context.Context) error {
	_, err := command(ctx, "", t.env, t.hrd, "stop", "--now")
	return err
}

// quiet is how long hrd must have run no tool to be taken for idle.
const quiet = 300 * time.Millisecond

// idle waits until hrd has done what it does behind a first start.
func (t hr) idle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, firstLimit)
	defer cancel()
	st, err := t.status(ctx)
	if err != nil {
		return err
	}
	ran, since := reaped(st.Pid), time.Now()
	for time.Since(since) < quiet {
		select {
		case <-ctx.Done():
			return fmt.Errorf("hrd does not come to rest: %w", ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
		if now := reaped(st.Pid); now != ran || len(descendants(st.Pid)) > 0 {
			ran, since = now, time.Now()
		}
	}
	return nil
}
