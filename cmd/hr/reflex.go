package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/printable"
	"github.com/hotreflex/hr/internal/protocol"
	"github.com/hotreflex/hr/internal/reflex"
)

// reflexFlags are the words of hr reflex: reflex's own, and these.
type reflexFlags struct {
	reflex.Global
	line    reflex.Line // of the command line
	json    bool
	literal bool
	silence time.Duration
	watcher string
}

// ownReflexFlags go with --config, too.
var ownReflexFlags = []string{"json", "literal", "silence", "watcher"}

func (f *reflexFlags) define(fs *pflag.FlagSet) {
	f.line.Define(fs)
	f.Global.Define(fs)
	fs.DurationVar(&f.silence, "silence", 0, "act only after this long without a further change; reflex waits 300ms")
	fs.BoolVar(&f.literal, "literal", false, "run Go programs of a config file as they are written, not as hr run does")
	fs.StringVar(&f.watcher, "watcher", "", "native, poll or reflex; native or poll by the file system if not given")
	fs.BoolVar(&f.json, "json", false, "print what hr does as JSON lines on standard error")
}

// reflexVerb is hr reflex: commands that run when files change.
func reflexVerb(c *command, args []string) int {
	var f reflexFlags
	fs := pflag.NewFlagSet("reflex", pflag.ContinueOnError)
	f.define(fs)
	if code, ok := c.parseWords(fs, "reflex", "--", args); !ok {
		return code
	}
	f.line.Command = fs.Args()
	lines, err := f.lines(fs, c.stdin)
	if err != nil {
		return c.fail(err)
	}
	dir, err := os.Getwd()
	if err != nil {
		return c.fail(fmt.Errorf("find the current directory: %w", err))
	}
	r, err := newReflexer(c, f, dir, lines)
	if err != nil {
		return c.fail(err)
	}
	signals := make(chan os.Signal, 4) // as many as a user sends before hr looks
	notify(signals, stopSignals...)
	defer signal.Stop(signals)
	resized := make(chan os.Signal, 1)
	notify(resized, resizeSignals...)
	defer signal.Stop(resized)
	defer r.close()
	return r.loop(signals, resized)
}

// lines are those of the config file, or the one of the command line.
func (f *reflexFlags) lines(fs *pflag.FlagSet, stdin io.Reader) ([]reflex.Line, error) {
	const hint = "hr help reflex lists the flags"
	usage := func(err error, hint string) error {
		return &protocol.Error{Code: protocol.CodeUsage, Message: err.Error(), Hint: hint}
	}
	if err := f.Check(fs, ownReflexFlags...); err != nil {
		return nil, usage(err, hint)
	}
	switch f.watcher {
	case "", "native", "poll", "reflex":
	default:
		return nil, usage(fmt.Errorf("--watcher=%s is not one of native, poll, reflex", f.watcher), hint)
	}
	if f.silence < 0 {
		return nil, usage(errors.New("--silence is negative"), "give a duration such as 300ms")
	}
	if f.Config == "" {
		f.line.Source = "the command line"
		if err := f.line.Check(); err != nil {
			return nil, usage(err, `for example: hr reflex -r '\.go$' -- go vet ./...`)
		}
		return []reflex.Line{f.line}, nil
	}
	name := f.Config
	if name == "-" {
		name = "standard input"
	} else {
		file, err := os.Open(name)
		if err != nil {
			return nil, usage(fmt.Errorf("read the config: %w", err), "hr reflex -c takes a file in reflex's format")
		}
		defer file.Close()
		stdin = file
	}
	lines, err := reflex.ReadConfig(stdin, name)
	if err != nil {
		return nil, usage(err, "a line holds flags, -- and a command, as in: -r '\\.go$' -- make")
	}
	return lines, nil
}

// newReflexer compiles the lines; nothing is watched and nothing runs yet.
func newReflexer(c *command, f reflexFlags, dir string, lines []reflex.Line) (*reflexer, error) {
	style, err := reflex.ParseDecoration(f.Decoration)
	if err != nil {
		return nil, err
	}
	r := &reflexer{
		c: c, flags: f, dir: dir, out: newReflexOutput(c, style),
		ends: make(chan reflexEnd), exits: make(chan reflexExit),
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	for i := range lines {
		l, err := newReflexLine(r, i, &lines[i])
		if err != nil {
			return nil, &protocol.Error{Code: protocol.CodeUsage, Message: lines[i].Source + ": " + printable.FirstLine(err.Error()),
				Hint: "regular expressions are Go's (go doc regexp/syntax), globs those of path.Match and **"}
		}
		r.lines = append(r.lines, l)
	}
	for _, l := range r.lines {
		l.supervise()
		if f.Verbose {
			r.c.screen.Tell(event.Command{Number: l.id, Spec: l.spec.String()})
		}
		if l.program != nil {
			r.c.screen.Notice("%s: a Go program: rebuilding and restarting it as hr run %s does; --literal runs it as it is written",
				l.spec.Source, strings.Join(l.program.words(), " "))
		}
	}
	return r, nil
}
