package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/hotreflex/hr/internal/printable"
	"github.com/hotreflex/hr/internal/protocol"
	"github.com/hotreflex/hr/internal/supervisor"
	"github.com/hotreflex/hr/internal/triggers"
)

// superviseFlags are the words of hr run about the program's life: when it is
// ready, how it ends, and what restarts it beside an edit.
type superviseFlags struct {
	handover     string
	grace        time.Duration
	overlap      bool
	signal       string
	ready        string
	readyTimeout time.Duration
	trial        time.Duration
	keepLastGood choice
	details      string
	sockets      []string
	envFiles     []string
	restartOn    []string
	signalOn     []string
	keys         choice
}

// choice is a flag that is on, off, or left to the circumstances.
type choice struct{ given, on bool }

func (c *choice) String() string   { return "" }
func (c *choice) Type() string     { return "" }
func (c *choice) IsBoolFlag() bool { return true }

func (c *choice) Set(v string) error {
	switch v {
	case "true", "1", "on":
		*c = choice{true, true}
	case "false", "0", "off":
		*c = choice{true, false}
	default:
		return fmt.Errorf("%q is neither true nor false", v)
	}
	return nil
}

// or is the choice, or the default that the circumstances make.
func (c choice) or(otherwise bool) bool {
	if c.given {
		return c.on
	}
	return otherwise
}

func (f *superviseFlags) define(fs *pflag.FlagSet) {
	fs.StringVar(&f.handover, "handover", "auto", "keep listening sockets between generations: auto or off")
	fs.BoolVar(&f.overlap, "overlap", false, "start the next generation before the last is stopped, where sockets are kept")
	fs.DurationVar(&f.grace, "grace", 3*time.Second, "from the stop signal to the kill")
	fs.StringVar(&f.signal, "signal", "", "the stop signal, as in INT; TERM if not given")
	fs.StringVar(&f.ready, "ready", "", "when the program is ready: a URL that answers below 400, tcp, tcp:PORT, or log:REGEXP (its output is a pipe then); when it listens, if not given")
	fs.DurationVar(&f.readyTimeout, "ready-timeout", 0, "a generation that is not ready by then failed to start; 10s with --ready")
	fs.DurationVar(&f.trial, "trial", 3*time.Second, "without -ready: a program that ends with an error so soon after it began to listen, and has answered nobody, failed to start; 0 is off")
	fs.Var(&f.keepLastGood, "keep-last-good", "run the last good program again when a start fails; on where sockets are kept")
	fs.StringVar(&f.details, "details", "loopback", "who reads on the 503 page why the program is not there: loopback, all or off")
	fs.StringArrayVar(&f.sockets, "socket", nil, "listen on this address for a program that takes LISTEN_FDS; may be repeated")
	fs.StringArrayVar(&f.envFiles, "env-file", nil, "variables for the program; a change restarts it; may be repeated, the last wins")
	fs.StringArrayVar(&f.restartOn, "restart-on", nil, "files that restart the program without a build, as in 'configs/**'; may be repeated")
	fs.StringArrayVar(&f.signalOn, "signal-on", nil, "files that send it a signal, as in 'HUP:configs/*.yaml'; may be repeated")
	fs.Var(&f.keys, "keys", "r restart, b rebuild, c clear, t next profile, w why, q quit; on at a terminal")
	for _, name := range []string{"keep-last-good", "keys"} {
		fs.Lookup(name).NoOptDefVal = "true"
	}
}

func (f *superviseFlags) check() error {
	bad := func(hint, format string, args ...any) error {
		return &protocol.Error{Code: protocol.CodeUsage, Message: printable.FirstLine(fmt.Sprintf(format, args...)), Hint: hint}
	}
	switch {
	case f.grace < 0:
		return bad("give a duration such as 3s", "-grace is negative")
	case f.readyTimeout < 0:
		return bad("give a duration such as 10s", "-ready-timeout is negative")
	case f.trial < 0:
		return bad("give a duration such as 3s, or 0", "-trial is negative")
	}
	if _, ok := parseSignal(f.signal); f.signal != "" && !ok {
		return bad("as in -signal=INT", "-signal=%s is no signal of this system", f.signal)
	}
	ready, err := parseReady(f.ready)
	if err != nil {
		return bad("-ready takes a URL, tcp, tcp:PORT or log:REGEXP", "-ready=%s: %v", f.ready, err)
	}
	if ready.url != "" && f.overlap {
		return bad("use -ready=log:REGEXP, or none", "-overlap and -ready=URL do not go together: while two generations run, either may answer")
	}
	for _, glob := range f.restartOn {
		if _, err := triggers.NewRule(glob, nil); err != nil {
			return bad("as in -restart-on='configs/**'", "-restart-on=%s: %v", glob, err)
		}
	}
	for _, word := range f.signalOn {
		if _, err := parseSignalOn(word); err != nil {
			return bad("as in -signal-on='HUP:configs/*.yaml'", "-signal-on=%s: %v", word, err)
		}
	}
	for _, a := range f.sockets {
		if !strings.Contains(a, ":") {
			return bad("as in -socket=:8080 or -socket=unix:/tmp/app.sock", "-socket=%s is no address", a)
		}
	}
	return nil
}

// parseSignalOn reads SIGNAL:GLOB.
func parseSignalOn(word string) (triggers.Rule, error) {
	name, glob, ok := strings.Cut(word, ":")
	if !ok || glob == "" {
		return triggers.Rule{}, errors.New("want SIGNAL:GLOB")
	}
	sig, ok := parseSignal(name)
	if !ok {
		return triggers.Rule{}, fmt.Errorf("%s is no signal of this system", name)
	}
	r, err := triggers.NewRule(glob, sig)
	r.Name = "SIG" + strings.TrimPrefix(strings.ToUpper(name), "SIG")
	return r, err
}

// rules are those of flags that were checked.
func (f *superviseFlags) rules() []triggers.Rule {
	var list []triggers.Rule
	for _, glob := range f.restartOn {
		r, _ := triggers.NewRule(glob, nil)
		list = append(list, r)
	}
	for _, word := range f.signalOn {
		r, _ := parseSignalOn(word)
		list = append(list, r)
	}
	return list
}

// supervise makes what restarts, feeds and watches over the program of the
// flags; the runner has its directory.
func (r *runner) supervise() error {
	f := &r.flags.superviseFlags
	env, err := triggers.NewEnvFiles(r.job.Dir, r.job.Env, f.envFiles)
	if err != nil {
		return err
	}
	r.env, r.rules = env, triggers.NewRules(r.job.Dir, f.rules())
	r.asks, r.launches = make(chan ask), make(chan launch)
	ready, _ := parseReady(f.ready) // check has seen it
	r.ready = ready
	r.outputs = &outputs{ready: ready.log, stdout: r.c.stdout, stderr: r.c.stderr}
	r.keys = newKeys(f.keys.or(true) && r.c.stdin == os.Stdin)
	signal, _ := parseSignal(f.signal)
	r.sup = supervisor.New(supervisor.Options{
		StopSignal: signal, Grace: f.grace, Handover: f.handover, Overlap: f.overlap, Sockets: f.sockets, Details: f.details,
		Trial: f.trialTime(ready),
		Ready: ready.wait(r.outputs), ReadyTimeout: f.readyTimeout, Log: r.c.screen.Notice,
		Terminal: r.c.stdin == os.Stdin, OnTerminal: func(program bool) {
			r.keys.lend(program)
			r.c.screen.Lend(program)
		},
	})
	return nil
}
