// Command judge looks for an edit after which hr's program is not that of go
// build.
//
// It drives built binaries from outside: real files, hr run with its watcher,
// hrd. After every edit it compares the program that hr has with that of go
// build: byte for byte once build IDs are zeroed, with the toolchain's linker;
// by what the program says, with the incremental one. A source that does not
// build must be refused by both, in the same words. On a difference it stops,
// keeps the tree, and looks for the shortest sequence of edits that still
// differs. It imports nothing of hr's own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/hotreflex/hr/benchmarks/judge/edits"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout)) }

// options are the words of the command line.
type options struct {
	bin      string
	examples string
	trees    []string
	kinds    []string
	edits    int
	seed     uint64
	linker   string
	every    int
	contexts []string
	steps    []edits.Step
	keep     bool
	verbose  bool
	limit    time.Duration
	out      io.Writer
}

// contexts are the ways to build that sessions of one daemon can have at once.
var contexts = map[string]struct{ flags, env []string }{
	"default": {},
	"dev":     {flags: []string{"-tags=dev"}},
	"prod":    {flags: []string{"-tags=prod"}},
	"nocgo":   {env: []string{"CGO_ENABLED=0"}},
	"386":     {env: []string{"GOARCH=386"}},
	"windows": {env: []string{"GOOS=windows"}},
}

func parseOptions(args []string, out io.Writer) (*options, error) {
	o := &options{out: out}
	fs := flag.NewFlagSet("judge", flag.ContinueOnError)
	fs.SetOutput(out)
	fs.StringVar(&o.bin, "bin", "bin", "directory of hr and hrd")
	fs.StringVar(&o.examples, "examples", "examples", "directory of the example services")
	trees := fs.String("trees", strings.Join(edits.Names, ","), "trees, comma separated")
	kinds := fs.String("kinds", "", "kinds of edits, comma separated; all if empty")
	fs.IntVar(&o.edits, "edits", 500, "edits to judge for each tree")
	fs.Uint64Var(&o.seed, "seed", 0, "seed of the edits; 0 for a new one")
	fs.StringVar(&o.linker, "linker", "go", "go: compare bytes; auto: compare behaviour")
	fs.IntVar(&o.every, "every", 1, "with -linker=auto, ask go build after each n-th edit only, after those that hr says do not build, and where the program says something else than before; the linker's checker looks at all")
	ctx := fs.String("contexts", "default", "build contexts that are alive at once: default, dev, prod, nocgo, 386, windows")
	steps := fs.String("steps", "", "the steps themselves, as a difference prints them")
	fs.BoolVar(&o.keep, "keep", false, "keep the trees")
	fs.BoolVar(&o.verbose, "v", false, "tell of every edit")
	fs.DurationVar(&o.limit, "shrink", 10*time.Minute, "how long to look for a shorter sequence")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	o.trees, o.contexts = strings.Split(*trees, ","), strings.Split(*ctx, ",")
	for _, c := range o.contexts {
		if _, ok := contexts[c]; !ok {
			return nil, fmt.Errorf("unknown context %s", c)
		}
	}
	if o.every < 1 || o.every > 1 && o.linker == "go" {
		return nil, fmt.Errorf("-every=%d: with -linker=%s every program is compared", o.every, o.linker)
	}
	o.kinds = edits.Kinds()
	if *kinds != "" {
		o.kinds = strings.Split(*kinds, ",")
	}
	if o.seed == 0 {
		o.seed = uint64(time.Now().UnixNano() % 1e9)
	}
	var err error
	if o.steps, err = parseSteps(*steps); err != nil {
		return nil, err
	}
	for _, p := range []*string{&o.bin, &o.examples} {
		if *p, err = filepath.Abs(*p); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// parseSteps reads "kind:seed,kind:seed".
func parseSteps(text string) ([]edits.Step, error) {
	var steps []edits.Step
	for word := range strings.SplitSeq(text, ",") {
		if word == "" {
			continue
		}
		i := strings.LastIndexByte(word, ':')
		if i < 0 {
			return nil, fmt.Errorf("step %q has no seed", word)
		}
		s := edits.Step{Kind: word[:i]}
		if _, err := fmt.Sscan(word[i+1:], &s.Seed); err != nil {
			return nil, fmt.Errorf("step %q: %w", word, err)
		}
		steps = append(steps, s)
	}
	return steps, nil
}

func run(args []string, out io.Writer) int {
	o, err := parseOptions(args, out)
	if err != nil {
		fmt.Fprintln(out, "judge:", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fmt.Fprintf(out, "judge: seed %d, linker %s, contexts %s\n", o.seed, o.linker, strings.Join(o.contexts, ","))
	total := newTally()
	for _, name := range o.trees {
		t, err := o.judgeTree(ctx, name)
		total.add(t)
		if err != nil {
			fmt.Fprintf(out, "judge: %s: %v\n", name, err)
			return 1
		}
	}
	if len(o.trees) > 1 {
		fmt.Fprintf(out, "\nall trees\n")
		total.print(out)
	}
	return 0
}

// judgeTree judges one tree.
func (o *options) judgeTree(ctx context.Context, name string) (*tally, error) {
	j, err := o.begin(ctx, name)
	if err != nil {
		return newTally(), err
	}
	ok := false
	defer func() { j.end(ok && !o.keep) }()
	r := rand.New(rand.NewPCG(o.seed, 0))
	steps := slices.Clone(o.steps)
	for len(o.steps) > 0 && len(steps) > 0 || len(o.steps) == 0 && j.tally.judged < o.edits {
		var s edits.Step
		if len(steps) > 0 {
			s, steps = steps[0], steps[1:]
		} else {
			s = j.next(r)
		}
		err := j.step(ctx, s)
		var d *difference
		if errors.As(err, &d) {
			fmt.Fprintf(o.out, "\n%s: DIFFERENCE after %d edits: %v\n", name, j.tally.judged, d)
			fmt.Fprintf(o.out, "the tree is kept in %s\n", j.base)
			fmt.Fprintf(o.out, "judge -trees=%s -linker=%s -contexts=%s -steps='%s'\n", name, o.linker, strings.Join(o.contexts, ","), words(j.steps))
			j.tally.differences++
			j.tally.print(o.out)
			j.end(false)
			o.shrink(ctx, name, j.steps)
			return j.tally, errors.New("not the program of go build")
		}
		if err != nil {
			fmt.Fprintf(o.out, "\n%s, cut short\n", name)
			j.tally.print(o.out)
			return j.tally, err
		}
	}
	ok = true
	fmt.Fprintf(o.out, "\n%s\n", name)
	j.tally.print(o.out)
	return j.tally, nil
}

// words prints steps as -steps takes them.
func words(steps []edits.Step) string {
	var out []string
	for _, s := range steps {
		out = append(out, s.String())
	}
	return strings.Join(out, ",")
}
