package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// runner is one run of the plan. One goroutine uses it.
type runner struct {
	o       options
	log     io.Writer
	work    string // temporary: copies, binaries, hr's cache and socket
	fast    string // temporary, in memory; "" where there is none
	env     []string
	tools   []tool
	hr      hr // as users run it
	results *results
	ports   ports
	marks   int
	until   time.Time // the budget's end

	stumbles map[string]int  // by seat
	broken   map[string]bool // seats that are left out
	failed   []error         // of hr: rivals' failures are notes of the report
}

// firstMark gives every mark the same number of digits.
const firstMark = 1000000

// overtime is for what the budget's end finds under way: a sample, or the first
// builds of a program.
const overtime = 3 * time.Minute

// measure runs the plan. It returns what was measured, even with an error.
func measure(ctx context.Context, o options, log io.Writer) (*results, error) {
	r := &runner{o: o, log: log, marks: firstMark, broken: map[string]bool{}, stumbles: map[string]int{}}
	if err := adopt(); err != nil {
		return nil, fmt.Errorf("become the parent of orphans: %w", err)
	}
	defer r.clean()
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	r.results = newResults(machine(ctx, o))
	if err := r.figures(ctx); err != nil {
		r.failed = append(r.failed, err)
		r.say("%v", err)
	}
	if ctx.Err() != nil {
		return r.results, ctx.Err()
	}
	r.until = time.Now().Add(o.budget)
	ctx, cancel := context.WithDeadline(ctx, r.until.Add(overtime))
	defer cancel()
	for _, p := range programs() {
		if jobs := chosen(o, p.name, plan()[p.name]); len(jobs) > 0 && r.inTime() {
			r.say("%s", p.name)
			if err := r.program(ctx, p, jobs); err != nil {
				r.failed = append(r.failed, err)
				r.say("%v", err)
			}
		}
		if ctx.Err() != nil {
			return r.results, ctx.Err()
		}
	}
	return r.results, errors.Join(r.failed...)
}

func (r *runner) say(format string, args ...any) { fmt.Fprintf(r.log, format+"\n", args...) }

// prepare makes the directories, the environment of every process and the rivals.
func (r *runner) prepare(ctx context.Context) error {
	var err error
	if r.work, err = os.MkdirTemp("", "hrbench-"); err != nil {
		return err
	}
	// A user's hr keeps its programs there by itself; with a cache directory of
	// its own it has to be told.
	if r.fast, err = os.MkdirTemp("/dev/shm", "hrbench-"); err != nil {
		r.fast = ""
	}
	for _, e := range os.Environ() {
		name, _, _ := strings.Cut(e, "=")
		if !slices.Contains([]string{"GOFLAGS", "GOWORK", "GOBIN", "GOCACHE", "XDG_DATA_HOME"}, name) && !strings.HasPrefix(name, "HR_") {
			r.env = append(r.env, e)
		}
	}
	bin := filepath.Join(r.o.out, "bin")
	r.env = append(r.env,
		"GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local", "GOBIN="+bin,
		"GOCACHE="+filepath.Join(r.o.out, "gocache"),
		"XDG_DATA_HOME="+filepath.Join(r.work, "data"), // caddy's
	)
	r.hr = r.variant("hr")
	for _, path := range []string{r.hr.hr, r.hr.hrd} {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("%w (make build makes hr and hrd)", err)
		}
	}
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	for _, m := range []string{airModule, reflexModule} {
		if err := r.install(ctx, bin, m); err != nil {
			return err
		}
	}
	loop := goBuild{label: "go-build"}
	r.tools = []tool{
		loop, // first: it makes the binary of exec
		r.hr, r.variant("hr-go-linker", "--linker=go"), r.variant("hr-plain", "--handover=off"),
		bare{of: loop}, goRun{}, compileAlone{},
		goBuild{label: "go-build-stripped", flags: []string{"-ldflags=-s -w", "-buildvcs=false"}},
		reflex{binary: filepath.Join(bin, "reflex")},
		air{label: "air-tuned", delay: 1, binary: filepath.Join(bin, "air")},
		air{label: "air-interrupt", interrupt: true, binary: filepath.Join(bin, "air")},
		air{label: "air", binary: filepath.Join(bin, "air")},
	}
	return nil
}

// variant is hr with flags and a daemon, a cache and a socket of its own.
func (r *runner) variant(label string, flags ...string) hr {
	home := filepath.Join(r.work, label)
	env := append(slices.Clip(r.env), "HR_CACHE_DIR="+filepath.Join(home, "cache"), "HR_RUNTIME_DIR="+filepath.Join(home, "run"))
	if r.fast != "" {
		env = append(env, "HR_FAST_DIR="+filepath.Join(r.fast, label))
	}
	return hr{label: label, hr: r.o.hr, hrd: r.o.hrd, flags: flags, env: env}
}

// install builds a rival at its pinned version, once: a file beside the binary
// tells which version it is.
func (r *runner) install(ctx context.Context, bin, module string) error {
	path, _, _ := strings.Cut(module, "@")
	note := filepath.Join(bin, filepath.Base(path)+".version")
	if have, err := os.ReadFile(note); err == nil && string(have) == module {
		return nil
	}
	r.say("install %s", module)
	ctx, cancel := context.WithTimeout(ctx, waitLimit)
	defer cancel()
	if _, err := command(ctx, r.work, r.env, "go", "install", module); err != nil {
		return err
	}
	return os.WriteFile(note, []byte(module), 0o644)
}

// clean leaves nothing behind but the results and what -out keeps.
func (r *runner) clean() {
	// A process that is just being started has no parent to be found by yet:
	// the second look finds it.
	for range 2 {
		killBelow()
		time.Sleep(50 * time.Millisecond)
	}
	for _, dir := range []string{r.work, r.fast} {
		if dir != "" {
			os.RemoveAll(dir)
		}
	}
}

// program makes the copies of a program and runs its jobs.
func (r *runner) program(ctx context.Context, p program, jobs []job) error {
	began := time.Now()
	seats, err := r.seats(ctx, p, jobs)
	if err != nil {
		return err
	}
	r.say("  %-6s %-12s %4.0f s", startCase, "first", time.Since(began).Seconds())
	defer func() {
		for _, s := range seats {
			s.tool.stop(s)
		}
	}()
	var opened bool
	for _, j := range jobs {
		if j.kind != startCase && !opened {
			opened = true
			r.open(ctx, seats, jobs)
		}
		switch j.kind {
		case memory: // when all others are done
		case loadCase:
			r.load(ctx, seats, j)
		default:
			r.job(ctx, seats, j)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	measured := slices.ContainsFunc(jobs, func(j job) bool { return j.kind == memory })
	if measured {
		if err := r.memory(ctx, seats, "session"); err != nil {
			return err
		}
	}
	for _, s := range seats {
		if err := s.end(ctx); err != nil {
			return s.fail("stop", err)
		}
	}
	if measured {
		pause(ctx, letGo)
		if err := r.memory(ctx, seats, "idle"); err != nil {
			return err
		}
	}
	for _, s := range seats {
		if t, ok := s.tool.(hr); ok {
			if err := t.stopDaemon(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// drop takes a tool out of the run of a program.
func (r *runner) drop(s *seat, err error) {
	r.broken[s.id()] = true
	if s.ours() {
		r.failed = append(r.failed, err)
	}
	r.results.note("%s was left out of %s: %s", label(s.tool.name()), s.prog.name, firstLine(err))
	r.say("%v", err)
	s.tool.stop(s)
}

func (r *runner) add(k kind, s *seat, name string, v values) {
	x := sample{kind: k, program: s.prog.name, name: name, tool: s.tool.name(), values: v}
	r.results.add(x)
	if r.o.verbose {
		r.say("  %s", x)
	}
}

func (s *seat) id() string { return s.prog.name + "/" + s.tool.name() }

func (j job) takes(tool string) bool { return slices.Contains(strings.Fields(j.tools), tool) }
