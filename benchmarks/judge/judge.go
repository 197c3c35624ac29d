package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hotreflex/hr/benchmarks/judge/edits"
)

const (
	// probeEvery is how long hr may take to tell of a file that means nothing to
	// it: a batch that holds more than the probe is told of otherwise, and then
	// another probe is needed.
	probeEvery = 500 * time.Millisecond
	// settleLimit is how long hr may say nothing while its program is not yet
	// that of the source: the coldest build of the largest tree on a loaded
	// machine.
	settleLimit = 3 * time.Minute
	// sameLimit is the same for a program that hr has told of since the edit.
	sameLimit = 20 * time.Second
)

// judge follows one tree.
type judge struct {
	o        *options
	base     string // of all that is written
	p        *edits.Program
	env      []string
	sessions []*session
	steps    []edits.Step
	probes   int
	failing  bool
	tally    *tally
	ended    bool
}

// difference is what nobody wants to see.
type difference struct{ what string }

func (d *difference) Error() string { return d.what }

func (o *options) begin(ctx context.Context, name string) (*judge, error) {
	base, err := os.MkdirTemp("", "hr-judge-")
	if err != nil {
		return nil, err
	}
	env := append(os.Environ(), "GOFLAGS=", "GOWORK=", "GOENV=off", "GOTOOLCHAIN=local", "GOSUMDB=off",
		"HR_CACHE_DIR="+filepath.Join(base, "cache"), "HR_RUNTIME_DIR="+filepath.Join(base, "run"), "HR_LINK_CHECK=1")
	j := &judge{o: o, base: base, env: env, tally: newTally()}
	if j.p, err = edits.Make(name, filepath.Join(base, "tree"), o.examples, env); err != nil {
		return nil, err
	}
	// What an edit asks of the go command must not need the network.
	j.env = append(j.env, "GOPROXY=off")
	j.p.Env = j.env
	if err := os.Mkdir(filepath.Join(j.p.Dir, probeDir), 0o755); err != nil {
		return nil, err
	}
	for _, c := range o.contexts {
		if err := j.open(ctx, c); err != nil {
			j.end(false)
			return nil, err
		}
	}
	return j, nil
}

// open starts hr in one build context and judges its first program.
func (j *judge) open(ctx context.Context, name string) error {
	c := contexts[name]
	words := []string{"run", "--json", "--noop=restart", "--linker=" + j.o.linker}
	flags := j.p.Flags
	if len(c.flags) > 0 {
		flags = append(slices.DeleteFunc(slices.Clone(flags), func(f string) bool { return strings.HasPrefix(f, "-tags=") }), c.flags...)
	}
	words = append(append(words, flags...), j.p.Package)
	if len(j.p.Paths) > 0 {
		words = append(words, "-addr", "127.0.0.1:0")
	}
	words = append(words, j.p.Args...)
	s, err := startSession(name, j.o.bin, j.p.Dir, append(slices.Clone(j.env), c.env...), words...)
	if err != nil {
		return err
	}
	j.sessions = append(j.sessions, s)
	wait, cancel := context.WithTimeout(ctx, 2*settleLimit)
	defer cancel()
	if err := s.ask(wait); err != nil {
		return err
	}
	// The program runs before all about it is known. An edit until then that does
	// not build leaves hr without a snapshot, and every save is built.
	for s.building(wait) {
		if !pause(wait, 5*time.Millisecond) {
			return wait.Err()
		}
	}
	return j.look(ctx, s, "first build", "first build")
}

// end stops everything; a tree in which all went well is removed.
func (j *judge) end(remove bool) {
	if !j.ended {
		j.ended = true
		for _, s := range j.sessions {
			s.end()
		}
		log := stopDaemon(j.o.bin, j.env)
		if strings.Contains(log, "panic") || strings.Contains(log, "DATA RACE") {
			fmt.Fprintf(j.o.out, "log of hrd:\n%s\n", log)
		}
	}
	if remove {
		os.RemoveAll(j.base)
	}
}

func (j *judge) next(r *rand.Rand) edits.Step {
	undo := 0.25
	if j.failing {
		undo = 0.8 // most kinds say nothing of a program that does not build
	}
	return j.p.Next(r, j.o.kinds, undo)
}

// step applies one edit and judges every session.
func (j *judge) step(ctx context.Context, s edits.Step) error {
	what, err := j.p.Apply(s)
	if err != nil {
		return fmt.Errorf("edit %s: %w", s, err)
	}
	if what == "" {
		return nil
	}
	j.steps = append(j.steps, s)
	for _, x := range j.sessions {
		if err := j.probe(ctx, x); err != nil {
			return err
		}
	}
	for _, x := range j.sessions {
		if err := j.look(ctx, x, s.Kind, what); err != nil {
			return err
		}
	}
	return j.checker(ctx)
}

// probeDir holds files that mean nothing to anybody.
const probeDir = "judge-probes"

// probe writes such files until hr has told of one: then it has seen all that
// was saved before.
func (j *judge) probe(ctx context.Context, s *session) error {
	var waited patience
	for waited.total < settleLimit {
		j.probes++
		name := fmt.Sprintf("probe%d.txt", j.probes)
		if err := os.WriteFile(filepath.Join(j.p.Dir, probeDir, name), nil, 0o644); err != nil {
			return err
		}
		for sent := time.Now(); time.Since(sent) < probeEvery; {
			if s.sawProbe(name) {
				return nil
			}
			if s.over() {
				return &difference{fmt.Sprintf("hr of context %s has ended:\n%s", s.name, s.screen())}
			}
			if !waited.pause(ctx, 2*time.Millisecond) {
				return ctx.Err()
			}
		}
	}
	return &difference{fmt.Sprintf("hr of context %s sees no save any more:\n%s", s.name, s.screen())}
}

// look compares what hr has with go build, or with what the last program said.
func (j *judge) look(ctx context.Context, s *session, kind, what string) error {
	if j.tally.judged%j.o.every > 0 {
		if same, err := j.saysTheSame(ctx, s); err != nil {
			return err
		} else if same {
			j.settle(ctx, s, kind, what, reference{ok: true})
			return nil
		}
	}
	want, err := goBuild(ctx, j.p, s.flags, s.env, filepath.Join(j.base, "want-"+s.name))
	if err != nil {
		return err
	}
	j.failing = !want.ok
	var waited patience
	_, first := s.now()
	seen := -1
	problem := ""
	for {
		st, n := s.now()
		if n != seen {
			seen = n
			waited.total = 0
			if problem, err = j.compare(ctx, s, st, want); err != nil {
				return err
			}
			if problem == "" {
				break
			}
		}
		limit := settleLimit
		if n > first || st.fresh {
			limit = sameLimit
		}
		if waited.total > limit || s.over() {
			why, _ := s.why(ctx) // of an hr that is gone there is none
			return &difference{fmt.Sprintf("context %s, %s\n%s\nhr says:\n%s\nhr why says:\n%s", s.name, what, problem, s.screen(), why)}
		}
		if !waited.pause(ctx, 5*time.Millisecond) {
			return ctx.Err()
		}
	}
	j.settle(ctx, s, kind, what, want)
	if st, _ := s.now(); want.ok && j.o.every > 1 {
		if s.said, err = behaviour(ctx, j.p, st.artifact); err != nil {
			return err
		}
	}
	return nil
}

// saysTheSame waits until hr builds no more and tells whether its program says
// what the one before said, which go build's said as well.
func (j *judge) saysTheSame(ctx context.Context, s *session) (bool, error) {
	var waited patience
	for s.building(ctx) {
		if waited.total > settleLimit || s.over() {
			return false, nil
		}
		if !waited.pause(ctx, 5*time.Millisecond) {
			return false, ctx.Err()
		}
	}
	st, n := s.now()
	if st.failed || j.failing {
		return false, nil
	}
	said, err := behaviour(ctx, j.p, st.artifact)
	if _, now := s.now(); err != nil && now == n {
		return false, err
	}
	return said == s.said, nil
}

// settle counts an edit that is judged.
func (j *judge) settle(ctx context.Context, s *session, kind, what string, want reference) {
	st, _ := s.now()
	j.tally.note(kind, st, want)
	if j.o.verbose {
		fmt.Fprintf(j.o.out, "%4d %s %s: %s\n", j.tally.judged, s.name, what, describe(st, want))
	}
	if st.fresh && st.outcome.Fallback != "" {
		if text, err := s.why(ctx); err != nil || !explains(string(text), st.outcome.Fallback) {
			j.tally.unexplained++
			fmt.Fprintf(j.o.out, "%s: hr why does not name %q (%v):\n%s\n", what, st.outcome.Fallback, err, text)
		}
	}
	s.counted()
}

// explains tells whether hr why names the reason; a save since then, such as a
// probe, has taken its place.
func explains(text, reason string) bool {
	return strings.Contains(text, reason) || strings.Contains(text, probeDir)
}

// compare returns what differs, "" for nothing.
func (j *judge) compare(ctx context.Context, s *session, st state, want reference) (string, error) {
	switch {
	case st.failed && want.ok:
		return "hr says that it does not build:\n" + st.text, nil
	case !st.failed && !want.ok:
		return "hr does not say that it does not build; go build says:\n" + want.text, nil
	case st.failed && st.syntax:
		return "", nil // the words are those of another parser
	case st.failed && !sameWords(st.text, want.text):
		return fmt.Sprintf("hr says\n%s\ngo build says\n%s", st.text, want.text), nil
	case st.failed:
		return "", nil
	}
	if _, err := os.Stat(st.artifact); err != nil {
		return fmt.Sprintf("hr's program is gone: %v", err), nil
	}
	same, text, err := j.o.sameProgram(ctx, j.p, st.artifact, want.path)
	if err != nil {
		if _, gone := os.Stat(st.artifact); gone != nil {
			return "hr's program went while it was read", nil
		}
		return "", err
	}
	if !same {
		kept := filepath.Join(j.base, "got-"+s.name)
		if data, err := os.ReadFile(st.artifact); err == nil {
			os.WriteFile(kept, data, 0o755)
		}
		return text, nil
	}
	return "", nil
}

// sameWords compares what two builds said. The go command prints the errors of a
// package, under its name, when its compile ends: which one is first is chance.
func sameWords(a, b string) bool {
	parts := func(text string) []string {
		return slices.Sorted(slices.Values(strings.Split("\n"+text, "\n# ")))
	}
	return slices.Equal(parts(a), parts(b))
}

// checker asks hrd whether the incremental linker found fault with itself.
func (j *judge) checker(ctx context.Context) error {
	if j.o.linker == "go" {
		return nil
	}
	cmd := exec.CommandContext(ctx, filepath.Join(j.o.bin, "hrd"), "status", "--json")
	cmd.Env = j.env
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("hrd status: %w", err)
	}
	var st struct {
		Linker struct{ Checks, Mismatches int64 } `json:"linker"`
	}
	if err := json.Unmarshal(out, &st); err != nil {
		return fmt.Errorf("hrd status: %w", err)
	}
	j.tally.checks = st.Linker.Checks
	if st.Linker.Mismatches > 0 {
		return &difference{fmt.Sprintf("the linker's checker counts %d mismatches", st.Linker.Mismatches)}
	}
	return nil
}

func describe(st state, want reference) string {
	text := "ok"
	switch {
	case st.failed:
		first, _, _ := strings.Cut(st.text, "\n")
		text = "both fail: " + first
	case !st.fresh:
		text = "nothing to do"
	case st.outcome.Fallback != "":
		text = "go build: " + st.outcome.Fallback
	case st.outcome.Linker != "":
		text = "linker " + st.outcome.Linker
	}
	text = fmt.Sprintf("%s, %s; ", text, st.outcome.took().Round(time.Millisecond))
	if want.took == 0 {
		return text + "says what it said"
	}
	return text + fmt.Sprintf("go build %s", want.took.Round(time.Millisecond))
}
