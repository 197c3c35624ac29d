package main

import (
	"context"
	"os"
	"os/signal"
	"time"

	"github.com/spf13/pflag"

	"github.com/hotreflex/hr/internal/protocol"
	"github.com/hotreflex/hr/internal/supervisor"
	"github.com/hotreflex/hr/internal/watch"
)

// runVerb is hr run: flags, child and report, then the loop.
func runVerb(c *command, args []string) int {
	begin := time.Now()
	var f runFlags
	fs := pflag.NewFlagSet("run", pflag.ContinueOnError)
	f.define(fs)
	if code, ok := c.parse(fs, "run", args); !ok {
		return code
	}
	f.rest, f.dash = fs.Args(), fs.ArgsLenAtDash()
	if err := f.check(); err != nil {
		return c.fail(err)
	}
	job, progArgs, err := f.job()
	if err != nil {
		return c.fail(err)
	}
	wrapper, err := f.wrapper(job)
	if err != nil {
		return c.fail(err)
	}
	if f.watcher == "reflex" {
		if _, err := watch.FindReflex(job.Dir); err != nil {
			return c.fail(noReflex(err))
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 4) // as many as a user sends before hr looks
	notify(signals, stopSignals...)
	defer signal.Stop(signals)
	r := &runner{
		c: c, flags: f, job: job, args: progArgs, wrapper: wrapper, begin: begin, ctx: ctx, cancel: cancel, signals: signals,
		results: make(chan result), snapshots: make(chan firstSnapshot), builtc: make(chan early),
		writerc: make(chan foundWriter), watching: make(chan watching), lost: make(chan *protocol.Session),
		report: newReport(job),
	}
	if err := r.supervise(); err != nil {
		cancel()
		return c.fail(err)
	}
	defer r.close()
	return r.loop()
}

// notify is signal.Notify for signals that were not ignored from the start:
// those stay ignored. Of none, Notify would mean all.
func notify(to chan<- os.Signal, signals ...os.Signal) {
	if heard := supervisor.Heard(signals...); len(heard) > 0 {
		signal.Notify(to, heard...)
	}
}

// close ends everything this process started.
func (r *runner) close() {
	r.cancel()
	if r.session != nil {
		r.session.Close()
	}
	if r.watcher != nil {
		r.watcher.Close()
	}
	if r.backend != nil {
		r.backend.close()
	}
	r.control.Close()
	r.wg.Wait()
	r.sup.Close()
	r.outputs.close()
	r.keys.close()
	r.report.remove()
}
