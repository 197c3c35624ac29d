package main

import (
	"context"
	"os/exec"
	"slices"
	"sync"
	"time"

	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/reflex"
	"github.com/hotreflex/hr/internal/supervisor"
	"github.com/hotreflex/hr/internal/watch"
)

// reflexLine is one line of reflex's dialect at work. The loop owns its fields;
// run and end, which work elsewhere, read only those that never change.
type reflexLine struct {
	id      int
	r       *reflexer
	spec    *reflex.Line
	perFile bool
	match   *reflex.Matcher
	program *goProgram // the service is a Go program that hr run takes care of
	sup     *supervisor.Supervisor
	ended   sync.Once
	output  *reflexStream // of the newest run, for the next one

	asked   bool      // a run is asked for
	paths   []string  // by these, sorted
	since   time.Time // first event among them
	due     time.Time // not before
	busy    bool      // a command runs, or a service is being restarted
	service *reflexService
}

// reflexService is a service that was started.
type reflexService struct {
	gen    *supervisor.Generation
	output *reflexStream
}

// reflexRun is one run of a command.
type reflexRun struct {
	paths []string // all that caused it
	since time.Time
}

// reflexEnd tells the loop that a command is over, or that a service was
// started.
type reflexEnd struct {
	line    *reflexLine
	service *reflexService
}

// reflexExit tells the loop that a service is over.
type reflexExit struct {
	line    *reflexLine
	service *reflexService
}

func newReflexLine(r *reflexer, id int, spec *reflex.Line) (*reflexLine, error) {
	m, err := reflex.NewMatcher(spec)
	if err != nil {
		return nil, err
	}
	l := &reflexLine{id: id, r: r, spec: spec, match: m, perFile: spec.PerFile()}
	if r.flags.Config != "" && !r.flags.literal && spec.Service {
		l.program = findGoProgram(r.dir, spec)
	}
	return l, nil
}

// generations apart keep the numbers of two lines from meeting.
const generationsApart = 1 << 20

// supervise makes the supervisor. Reflex interrupts a service, once more after
// the shutdown timeout, and kills it after another.
func (l *reflexLine) supervise() {
	grace := 2 * l.spec.ShutdownTimeout
	if l.program != nil {
		grace += l.program.slack()
	}
	l.sup = supervisor.New(supervisor.Options{
		StopSignal: interruptSignal(),
		Grace:      grace,
		Handover:   "off",
		Ready:      func(context.Context, *supervisor.Generation) error { return nil }, // nobody asks
		FirstID:    1 + l.id*generationsApart,
		Log:        func(format string, args ...any) { l.r.out.info(l.id, format, args...) },
	})
}

// selects says whether a change is the line's business. A command that is given
// the path can do nothing with one that is gone. A Go program that is alive is
// rebuilt by the hr run that runs it.
func (l *reflexLine) selects(ch watch.Change, name string) bool {
	if ch.Removed && l.perFile || !l.match.Match(name) {
		return false
	}
	return l.program == nil || l.service == nil || !isBuildInput(ch.Path)
}

// ask notes that paths changed. With silence the command waits until that long
// nothing more has.
func (l *reflexLine) ask(paths []string, first time.Time, silence time.Duration) {
	if !l.asked {
		l.asked, l.since = true, first
	}
	l.paths = append(l.paths, paths...)
	slices.Sort(l.paths)
	l.paths = slices.Compact(l.paths)
	l.due = time.Now().Add(silence)
}

// next takes what the next run is for: everything, or one path where each has
// a run of its own.
func (l *reflexLine) next() reflexRun {
	run := reflexRun{paths: l.paths, since: l.since}
	l.busy = true
	if l.perFile && len(l.paths) > 1 {
		run.paths = l.paths[:1:1]
		l.paths = l.paths[1:]
		return run
	}
	l.asked, l.paths, l.due = false, nil, time.Time{}
	if l.spec.Service {
		l.service = nil // its end is wanted now
	}
	return run
}

// run runs the command to its end, or restarts the service.
func (l *reflexLine) run(ctx context.Context, run reflexRun) reflexEnd {
	if l.spec.Service {
		if l.sup.Current() != nil {
			l.r.out.info(l.id, "Killing service")
			l.stop()
			l.output.drain()
		}
		if ctx.Err() != nil {
			return reflexEnd{line: l}
		}
		l.r.out.info(l.id, "Starting service")
	}
	gen, output, err := l.start(ctx, run)
	if err != nil {
		if ctx.Err() == nil {
			l.r.out.info(l.id, "%v", err)
		}
		return reflexEnd{line: l}
	}
	l.r.showRun(l, run, gen)
	if l.spec.Service {
		return reflexEnd{l, &reflexService{gen, output}}
	}
	<-gen.Done()
	hangUpGroup(gen.Pid)
	output.drain()
	l.showExit(ctx, gen)
	return reflexEnd{line: l}
}

// start starts the command on an output of its own.
func (l *reflexLine) start(ctx context.Context, run reflexRun) (*supervisor.Generation, *reflexStream, error) {
	spec := supervisor.Spec{Dir: l.r.dir}
	if l.program != nil {
		spec.Path, spec.Args, spec.Env = l.program.command()
	} else {
		path := ""
		if len(run.paths) > 0 {
			path = run.paths[0]
		}
		spec.Args = l.spec.Words(path)
		found, err := exec.LookPath(spec.Args[0])
		if err != nil {
			return nil, nil, err
		}
		spec.Path = found
	}
	output, end, err := l.r.out.open(l.id)
	if err != nil {
		return nil, nil, err
	}
	defer end.Close()
	spec.Stdout, spec.Stderr = end, end
	if l.program == nil {
		spec.Stdin = output.stdin(end)
	}
	gen, err := l.sup.Start(ctx, spec)
	if err != nil {
		output.abandon()
		return nil, nil, err
	}
	l.output = output
	return gen, output, nil
}

// stop ends what runs. Between the interrupt and the kill there is another
// interrupt: programs that take the first as a request end now.
func (l *reflexLine) stop() {
	if gen := l.sup.Current(); gen != nil && l.program == nil {
		again := time.AfterFunc(l.spec.ShutdownTimeout, func() {
			select {
			case <-gen.Done():
			default:
				l.r.out.info(l.id, "Sending SIGINT signal...")
				interruptGroup(gen.Pid)
			}
		})
		defer again.Stop()
	}
	if err := l.sup.Stop(context.Background()); err != nil {
		l.r.out.info(l.id, "%v", err)
	}
}

// end stops the command and all that belongs to the line.
func (l *reflexLine) end() {
	if l.sup == nil {
		return
	}
	l.ended.Do(func() {
		l.stop()
		l.sup.Close()
	})
}

// onExit tells that a service ended by itself; a change starts it again.
func (l *reflexLine) onExit(e reflexExit) {
	if l.service == e.service {
		l.showExit(l.r.ctx, e.service.gen)
		l.service = nil
	}
}

// showExit prints how a command ended if that was not well.
func (l *reflexLine) showExit(ctx context.Context, gen *supervisor.Generation) {
	if ctx.Err() != nil {
		return // it was stopped
	}
	e := gen.Exit()
	if e.Status() != 0 && !l.r.flags.json {
		l.r.out.info(l.id, "(error exit: %v)", e)
	}
	if l.r.flags.json {
		l.r.c.screen.Tell(event.Exit{Number: l.id, Pid: gen.Pid, Code: e.Status(), Took: time.Since(gen.Started)})
	}
}

// showRun tells what runs and why, to those who want to know.
func (r *reflexer) showRun(l *reflexLine, run reflexRun, gen *supervisor.Generation) {
	if r.flags.json || r.flags.Verbose {
		r.c.screen.Tell(event.Ran{Number: l.id, Pid: gen.Pid, Command: l.spec.Command, Paths: run.paths,
			Event: run.since, Started: gen.Started, Took: gen.Started.Sub(run.since)})
	}
}
