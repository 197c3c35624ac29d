package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// tool is one way to run a program: hr or a rival.
type tool interface {
	// name is what reports call it.
	name() string
	// place names the copy of the source that it works in. Only tools that do
	// not watch may share one.
	place() string
	// start runs the program of a seat: from its call to the first response is
	// what start cases measure.
	start(ctx context.Context, s *seat) error
	// saved is called after every save. A tool that watches has nothing to do.
	saved(ctx context.Context, s *seat) error
	// stop ends what start began.
	stop(s *seat)
}

// seat is one tool with one program: its source, address, directory and process.
type seat struct {
	tool    tool
	prog    program
	src     *source
	probe   probe
	args    []string // the program's own
	env     []string
	scratch string // for binaries and configurations, outside the source

	proc    *process
	started bool            // at least once
	compile *compileCommand // of compileAlone, once it is known
}

// watching is the part of tools that see a save by themselves.
type watching struct{}

func (watching) saved(context.Context, *seat) error { return nil }
func (watching) stop(s *seat) {
	s.proc.stop()
	s.proc = nil
}

// plainPlace is the copy of tools that do not watch.
const plainPlace = "plain"

// goRun is go run. It does not watch: its only cases are starts.
type goRun struct{ watching }

func (goRun) name() string  { return "go-run" }
func (goRun) place() string { return plainPlace }

func (goRun) start(_ context.Context, s *seat) (err error) {
	argv := append([]string{"go", "run"}, s.prog.goFlags()...)
	argv = append(append(argv, s.prog.pkg), s.args...)
	s.proc, err = start("go run", s.src.dir, s.env, argv...)
	return err
}

// goBuild is the bare loop that any watcher has inside: go build, end the old
// program at once, start the new one. It starts to build at the moment of the
// save, which no watcher can.
type goBuild struct {
	label string
	flags []string // beside the user's
}

func (t goBuild) name() string { return t.label }
func (goBuild) place() string  { return plainPlace }

func (t goBuild) binary(s *seat) string { return filepath.Join(s.scratch, t.label) }

func (t goBuild) build(ctx context.Context, s *seat) error {
	argv := append([]string{"go", "build"}, s.prog.goFlags()...)
	argv = append(append(argv, t.flags...), "-o", t.binary(s), s.prog.pkg)
	_, err := command(ctx, s.src.dir, s.env, argv...)
	return err
}

func (t goBuild) start(ctx context.Context, s *seat) error {
	if err := t.build(ctx, s); err != nil {
		return err
	}
	return execBinary(s, t.binary(s))
}

func (t goBuild) saved(ctx context.Context, s *seat) error {
	if err := t.build(ctx, s); err != nil {
		return err
	}
	s.proc.kill()
	return execBinary(s, t.binary(s))
}

func (t goBuild) stop(s *seat) {
	s.proc.stop()
	s.proc = nil
}

// bare runs the program that goBuild has made before, with nothing around it:
// the floor of every start.
type bare struct {
	watching
	of goBuild
}

func (bare) name() string  { return "exec" }
func (bare) place() string { return plainPlace }

func (t bare) start(ctx context.Context, s *seat) error {
	binary := filepath.Join(filepath.Dir(s.scratch), t.of.label, t.of.label)
	if _, err := os.Stat(binary); err != nil {
		return fmt.Errorf("%s has built nothing yet", t.of.label)
	}
	return execBinary(s, binary)
}

func execBinary(s *seat, binary string) (err error) {
	s.proc, err = start(s.prog.name, s.src.dir, s.env, append([]string{binary}, s.args...)...)
	return err
}
