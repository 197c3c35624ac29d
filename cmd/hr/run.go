package main

import (
	"context"
	"os"
	"os/signal"
	"time"

	"github.com/spf13/pflag"

	"github.com/hotreflex/hr/protocol"
	"github.com/hotreflex/hr/supervisor"
	"github.com/hotreflex/hr/watch"
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
	if f.watcher == "reflex" {
		if _, err := watch.FindReflex(job.Dir); err != nil {
			return c.fail(noReflex(err))
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 4) // as many as a user sends before hr looks
	signal.Notify(signals, stopSignals...)
	defer signal.Stop(signals)
	r := &runner{
		c: c, flags: f, job: job, args: progArgs, begin: begin, ctx: ctx, cancel: cancel, signals: signals,
		results: make(chan result), snapshots: make(chan firstSnapshot), builtc: make(chan early),
		watching: make(chan watching), lost: make(chan *protocol.Session), launches: make(chan launch),
		report: newReport(job),
	}
	r.sup = supervisor.New(supervisor.Options{
		Grace: f.grace, Handover: f.handover, Log: c.screen.notice,
		Terminal: c.stdin == os.Stdin, OnTerminal: c.screen.lend,
	})
	defer r.close()
	return r.loop()
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
	r.wg.Wait()
	r.sup.Close()
	r.report.remove()
}
