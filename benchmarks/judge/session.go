package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// session is one hr run in the background, known by what it tells.
type session struct {
	name  string
	cmd   *exec.Cmd
	dir   string
	env   []string
	bin   string
	flags []string // go build flags that hr uses
	said  string   // by the last program that was compared with go build's
	done  chan struct{}

	mu     sync.Mutex // guards fields below
	lines  []string   // the last of them, for a report
	probed map[string]bool
	state  state
	failed state // as the last failure was told
	count  int   // events so far
}

// state is what hr has come to.
type state struct {
	failed   bool
	syntax   bool   // it does not even parse: the words are the parser's
	text     string // of the failure
	artifact string
	outcome  outcome
	// fresh is set by an event that tells of a build, and cleared by who
	// counts it.
	fresh bool
}

// outcome is what hr tells of a build, as far as it is needed.
type outcome struct {
	Artifact struct {
		Path string `json:"path"`
	} `json:"artifact"`
	Fallback string `json:"fallback"`
	Linker   string `json:"linker"`
	Refused  string `json:"refused"`
	Phases   struct {
		Scan, Load, Compile, Link, GoBuild time.Duration
	} `json:"phases"`
}

// took is the time of the build alone.
func (o outcome) took() time.Duration {
	p := o.Phases
	return p.Scan + p.Load + p.Compile + p.Link + p.GoBuild
}

// event is a line of hr --json.
type event struct {
	Event string          `json:"event"`
	Text  string          `json:"text"`
	Data  json.RawMessage `json:"data"`
}

func startSession(name, bin, dir string, env []string, words ...string) (*session, error) {
	s := &session{name: name, dir: dir, env: env, bin: bin, done: make(chan struct{}), probed: map[string]bool{}}
	s.cmd = exec.Command(filepath.Join(bin, "hr"), words...)
	s.cmd.Dir, s.cmd.Env = dir, append(slices.Clone(env), "PWD="+dir)
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	s.cmd.Stdout = io.Discard
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(s.done)
		in := bufio.NewReader(stderr)
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				s.cmd.Wait()
				return
			}
			s.take(strings.TrimSpace(line))
		}
	}()
	return s, nil
}

// take reads one line of the screen.
func (s *session) take(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.lines) > 200 {
		s.lines = s.lines[100:]
	}
	s.lines = append(s.lines, line)
	var e event
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &e) != nil {
		return // the program's own
	}
	var data struct {
		outcome
		File    string   `json:"file"`
		Code    string   `json:"code"`
		Outcome *outcome `json:"outcome"`
	}
	json.Unmarshal(e.Data, &data) // what it is not stays empty
	switch e.Event {
	case "start", "reload", "failed":
		switch {
		case data.Outcome == nil && e.Event == "failed":
			return // of a program that was there before
		case data.Outcome == nil: // it started before its build was through
			s.state = state{artifact: data.Artifact.Path}
		default:
			s.state = state{artifact: data.Outcome.Artifact.Path, outcome: *data.Outcome, fresh: true}
		}
	case "unchanged":
		s.state = state{artifact: data.Artifact.Path, outcome: data.outcome, fresh: true}
	case "restored":
		s.state.failed, s.state.syntax, s.state.text = false, false, ""
	case "error":
		if data.Code != "build" && strings.Contains(e.Text, "exec format error") {
			if data.Outcome != nil { // a program for another system
				s.state = state{artifact: data.Outcome.Artifact.Path, outcome: *data.Outcome, fresh: true}
			}
			break
		}
		s.state.failed, s.state.syntax, s.state.text = true, false, e.Text
		s.state.outcome, s.state.fresh = outcome{}, true
	case "broken":
		s.state.failed, s.state.syntax, s.state.text = true, true, e.Text
		s.state.outcome, s.state.fresh = outcome{}, true
	case "kept": // what was told before still holds
		s.state.failed, s.state.syntax, s.state.text = true, s.failed.syntax, s.failed.text
	case "nothing":
		s.probed[filepath.Base(data.File)] = true
	default:
		return
	}
	if s.state.failed {
		s.failed = s.state
	}
	s.count++
}

func (s *session) now() (state, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state, s.count
}

// counted marks the last build as counted.
func (s *session) counted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.fresh = false
}

func (s *session) sawProbe(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.probed[name]
}

// lineMost is how much of a line a report shows.
const lineMost = 300

// screen returns the last lines.
func (s *session) screen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for _, line := range s.lines[max(0, len(s.lines)-12):] {
		if len(line) > lineMost {
			line = line[:lineMost] + "…"
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

func (s *session) over() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// report is what hr why tells.
type report struct {
	Flags   []string `json:"flags"`
	Outcome *outcome `json:"outcome"`
}

func (s *session) why(ctx context.Context, words ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "hr"), append([]string{"why", fmt.Sprintf("--pid=%d", s.cmd.Process.Pid)}, words...)...)
	cmd.Dir, cmd.Env = s.dir, s.env
	return cmd.Output()
}

// ask reads hr why until it knows of a build, and takes it over.
func (s *session) ask(ctx context.Context) error {
	for ctx.Err() == nil && !s.over() {
		if st, _ := s.now(); st.failed || st.artifact != "" && s.flags != nil {
			return nil
		}
		var r report
		if data, err := s.why(ctx, "--json"); err == nil && json.Unmarshal(data, &r) == nil {
			s.mu.Lock()
			s.flags = append([]string{}, r.Flags...)
			if r.Outcome != nil && r.Outcome.Artifact.Path != "" {
				s.state.artifact, s.state.outcome = r.Outcome.Artifact.Path, *r.Outcome
			}
			s.mu.Unlock()
		}
		if !pause(ctx, 20*time.Millisecond) {
			break
		}
	}
	return fmt.Errorf("hr of context %s does not come up:\n%s", s.name, s.screen())
}

// building asks hr whether it is at work.
func (s *session) building(ctx context.Context) bool {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "hr"), "ps", "--json", fmt.Sprintf("--pid=%d", s.cmd.Process.Pid))
	cmd.Dir, cmd.Env = s.dir, s.env
	var line struct {
		State    string `json:"state"`
		Building bool   `json:"building"`
	}
	out, err := cmd.Output()
	if err != nil || json.Unmarshal(out, &line) != nil {
		return !s.over()
	}
	return line.Building || line.State != "running" && line.State != "ended"
}

// end stops hr and waits.
func (s *session) end() {
	for try := 0; ; try++ {
		if try < 3 {
			s.cmd.Process.Signal(syscall.SIGTERM)
		} else {
			s.cmd.Process.Kill()
		}
		select {
		case <-s.done:
			return
		case <-time.After(5 * time.Second):
		}
	}
}

// pause waits; false if ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// patience is how long something was waited for. A machine that was asleep, or
// a judge that was stopped beside hr, did not wait.
type patience struct{ total time.Duration }

// pause waits; false if ctx ends first.
func (p *patience) pause(ctx context.Context, d time.Duration) bool {
	begin := time.Now()
	ok := pause(ctx, d)
	p.total += min(time.Since(begin), time.Second)
	return ok
}

// stopDaemon ends hrd and returns its log.
func stopDaemon(bin string, env []string) string {
	cmd := exec.Command(filepath.Join(bin, "hrd"), "stop", "--now")
	cmd.Env = env
	out, _ := cmd.CombinedOutput()
	log, _ := os.ReadFile(filepath.Join(envValue(env, "HR_RUNTIME_DIR"), "hrd.log"))
	return string(out) + string(log)
}

func envValue(env []string, name string) string {
	for _, kv := range slices.Backward(env) {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			return v
		}
	}
	return ""
}
