// Command benchmarks measures hr and its rivals from outside: the time from a
// save, or from the start of a command, to the first HTTP response that shows it.
//
// It drives built binaries over real programs, hr and the rivals in turn within
// each round, and writes Go benchmark text for benchstat, a Markdown table of
// medians against the figures to reach, and charts. It imports no package of
// hr: what it sees is what a user sees. What no user sees, the linkers alone, is
// measured by a test of package link, and hr reflex by the test that drives it;
// their samples are read and reported with the others. It is run by make bench
// and needs Linux or another Unix; what only Linux tells (memory, child
// processes) is left out elsewhere. One goroutine drives everything, one more
// per process reads its output, and clients make the load.
//
//	go run ./benchmarks -only ginsvc,hello -count 3
//	go run ./benchmarks -from benchmarks/result/bench.txt   # table and chart anew
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// options are the words of the command line.
type options struct {
	hr, hrd string // binaries under test
	root    string // the repository, for examples/ginsvc
	out     string // rival binaries and the Go build cache; kept between runs
	result  string // where bench.txt, table.md and the charts go
	only    []string
	count   int
	short   bool
	budget  time.Duration
	from    string
	verbose bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stderr)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchmarks:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, log io.Writer) error {
	o, err := parse(args, log)
	if err != nil {
		return err
	}
	if o.from != "" {
		f, err := os.Open(o.from)
		if err != nil {
			return err
		}
		defer f.Close()
		results, err := readBench(f)
		if err != nil {
			return fmt.Errorf("read %s: %w", o.from, err)
		}
		return results.write(o.result)
	}
	results, err := measure(ctx, o, log)
	// What was measured before a failure is worth keeping.
	if results != nil && len(results.samples) > 0 {
		err = errors.Join(err, results.write(o.result))
	}
	return err
}

func parse(args []string, log io.Writer) (options, error) {
	o := options{}
	var only string
	fs := flag.NewFlagSet("benchmarks", flag.ContinueOnError)
	fs.SetOutput(log)
	fs.StringVar(&o.hr, "hr", "bin/hr", "hr under test")
	fs.StringVar(&o.hrd, "hrd", "", "hrd under test; beside hr if not given")
	fs.StringVar(&o.root, "root", ".", "root of the repository")
	fs.StringVar(&o.out, "out", "benchmarks/out", "directory for rival binaries and the Go build cache, kept between runs")
	fs.StringVar(&o.result, "result", "benchmarks/out/result", "directory for bench.txt, table.md and the charts")
	fs.StringVar(&only, "only", "", "programs, program/case, link or reflex, comma separated; all if empty")
	fs.IntVar(&o.count, "count", 0, "samples of each case, in place of the plan's")
	fs.BoolVar(&o.short, "short", false, "ginsvc alone, a few samples")
	fs.DurationVar(&o.budget, "budget", 15*time.Minute, "for programs; when it is used up, what is left is not measured")
	fs.StringVar(&o.from, "from", "", "make table and charts of this benchmark text and measure nothing")
	fs.BoolVar(&o.verbose, "v", false, "print every sample")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if only != "" {
		o.only = strings.Split(only, ",")
	}
	for _, word := range o.only {
		if !known(word) {
			return o, fmt.Errorf("-only=%s: nothing has that name", word)
		}
	}
	if o.hrd == "" {
		o.hrd = filepath.Join(filepath.Dir(o.hr), "hrd")
	}
	for _, p := range []*string{&o.hr, &o.hrd, &o.root, &o.out, &o.result} {
		abs, err := filepath.Abs(*p)
		if err != nil {
			return o, err
		}
		*p = abs
	}
	return o, nil
}
