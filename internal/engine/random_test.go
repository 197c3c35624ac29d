package engine_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hotreflex/hr/benchmarks/judge/edits"
	"github.com/hotreflex/hr/internal/engine"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/testdir"
)

var (
	judgeEdits = flag.Int("edits", 0, "random edits for each tree; none if 0")
	judgeSeed  = flag.Uint64("seed", 0, "seed of the random edits; 0 for a new one")
	judgeTrees = flag.String("trees", "mixed", "trees for the random edits, comma separated")
	judgeKinds = flag.String("kinds", "", "kinds of the random edits, comma separated; all if empty")
	judgeSteps = flag.String("steps", "", "the steps themselves, as a failure prints them")
)

// TestJudgeRandom applies random edits of every kind and compares each result
// with that of go build. make judge runs it, with other edits each time; the
// same edits again would prove nothing new.
func TestJudgeRandom(t *testing.T) {
	if *judgeEdits == 0 && *judgeSteps == "" {
		t.Skip("takes a second for each edit: make judge")
	}
	for _, name := range strings.Split(*judgeTrees, ",") {
		t.Run(name, func(t *testing.T) {
			seed := *judgeSeed
			if seed == 0 {
				seed = uint64(time.Now().UnixNano() % 1e9)
			}
			t.Logf("go test ./internal/engine -run TestJudgeRandom -trees=%s -edits=%d -seed=%d", name, *judgeEdits, seed)
			if steps := parseSteps(t, *judgeSteps); steps != nil {
				newRandomJudge(t, name).run(steps)
				return
			}
			j := newRandomJudge(t, name)
			r := rand.New(rand.NewPCG(seed, 1))
			kinds := edits.Kinds()
			if *judgeKinds != "" {
				kinds = strings.Split(*judgeKinds, ",")
			}
			for j.judged < *judgeEdits && !t.Failed() {
				undo := 0.25
				if j.failing {
					undo = 0.8 // most kinds say nothing of a program that does not build
				}
				j.step(j.p.Next(r, kinds, undo))
			}
			j.report()
		})
	}
}

// parseSteps reads "kind:seed,kind:seed".
func parseSteps(t *testing.T, text string) []edits.Step {
	t.Helper()
	if text == "" {
		return nil
	}
	var steps []edits.Step
	for word := range strings.SplitSeq(text, ",") {
		var s edits.Step
		i := strings.LastIndexByte(word, ':')
		if i < 0 {
			t.Fatalf("step %q has no seed", word)
		}
		s.Kind = word[:i]
		if _, err := fmt.Sscan(word[i+1:], &s.Seed); err != nil {
			t.Fatalf("step %q: %v", word, err)
		}
		steps = append(steps, s)
	}
	return steps
}

// randomJudge follows one tree.
type randomJudge struct {
	t       *testing.T
	p       *edits.Program
	e       *engine.Engine
	job     order.Job
	last    *engine.Program
	out     string // directory for the programs of go build
	steps   []edits.Step
	judged  int
	failing bool
	tally   map[string]*tally
}

// tally counts what became of one kind of edit.
type tally struct {
	fast, fallback, failed int
	reasons                map[string]int
}

func newRandomJudge(t *testing.T, name string) *randomJudge {
	t.Helper()
	env := append(os.Environ(), "GOFLAGS=", "GOWORK=", "GOENV=off", "GOTOOLCHAIN=local", "GOPROXY=off", "GOSUMDB=off")
	p, err := edits.Make(name, testdir.New(t), "../../examples", env)
	if err != nil {
		t.Fatal(err)
	}
	j := &randomJudge{t: t, p: p, e: newEngine(t), out: t.TempDir(), tally: map[string]*tally{}}
	j.job = order.Job{Dir: p.Dir, Env: env, Flags: p.Flags, Package: []string{p.Package}, Linker: "go"}
	j.look("first build", "first build")
	return j
}

func (j *randomJudge) run(steps []edits.Step) {
	for _, s := range steps {
		if j.step(s); j.t.Failed() {
			return
		}
	}
}

// step applies one edit and looks at the result.
func (j *randomJudge) step(s edits.Step) {
	j.steps = append(j.steps, s)
	what, err := j.p.Apply(s)
	if err != nil {
		j.t.Fatalf("%s: %v", s, err)
	}
	if what == "" {
		j.steps = j.steps[:len(j.steps)-1]
		return
	}
	j.look(s.Kind, what)
	if j.t.Failed() {
		var words []string
		for _, s := range j.steps {
			words = append(words, s.String())
		}
		j.t.Logf("-trees=%s -steps='%s'", j.p.Name, strings.Join(words, ","))
	}
}

// look builds with the engine and with go build, and compares.
func (j *randomJudge) look(kind, what string) {
	t := j.t
	j.judged++
	ctx := context.Background()
	begin := time.Now()
	var prog *engine.Program
	var out *order.Outcome
	target, err := j.e.Resolve(ctx, j.job)
	if err == nil {
		prog, out, err = j.e.Build(ctx, target, j.last, engine.Hooks{})
	}
	took := time.Since(begin)
	want := filepath.Join(j.out, "want")
	begin = time.Now()
	text, wantErr := goBuild(j.job, want)
	j.note(kind, out, err)
	t.Logf("%3d %s\n\t%s in %s, go build %s", j.judged, what, summary(out, err), took.Round(time.Millisecond), time.Since(begin).Round(time.Millisecond))
	j.failing = wantErr != nil
	if (err != nil) != (wantErr != nil) {
		t.Errorf("%s: the engine says %v, go build says %v\n%s", what, err, wantErr, text)
		return
	}
	if err != nil {
		var user *order.Error
		switch {
		case errors.As(err, &user) && user.Syntax != nil:
			// The words are go/parser's, the place must be the compiler's.
			if line := fmt.Sprintf("%s:%d", filepath.Base(user.Syntax.File), user.Syntax.Line); !strings.Contains(text, line) {
				t.Logf("%s: the engine says %s, go build\n%s", what, err, text)
			}
		case err.Error() != text:
			t.Errorf("%s: messages differ:\nengine:   %s\ngo build: %s", what, err, text)
		}
		return
	}
	j.last = prog
	sameAs(t, out.Artifact.Path, want, fmt.Sprintf("%s (%+v)", what, out))
}

func summary(out *order.Outcome, err error) string {
	switch {
	case err != nil:
		first, _, _ := strings.Cut(err.Error(), "\n")
		return "failed: " + first
	case out.Fallback != "":
		return "go build: " + out.Fallback
	}
	return fmt.Sprintf("%d compiled, %d cut off, %d reused, linker %q", out.Compiled, out.CutOff, out.Reused, out.Linker)
}

func (j *randomJudge) note(kind string, out *order.Outcome, err error) {
	c := j.tally[kind]
	if c == nil {
		c = &tally{reasons: map[string]int{}}
		j.tally[kind] = c
	}
	switch {
	case err != nil:
		c.failed++
	case out.Fallback != "":
		c.fallback++
		c.reasons[out.Fallback]++
	default:
		c.fast++
	}
}

// report shows the tally.
func (j *randomJudge) report() {
	var b strings.Builder
	fmt.Fprintf(&b, "%d edits of %s judged\n%-24s %5s %8s %6s\n", j.judged, j.p.Name, "kind", "fast", "fallback", "failed")
	var names []string
	for k := range j.tally {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		c := j.tally[k]
		fmt.Fprintf(&b, "%-24s %5d %8d %6d", k, c.fast, c.fallback, c.failed)
		for r, n := range c.reasons {
			fmt.Fprintf(&b, "  %d× %s", n, r)
		}
		b.WriteByte('\n')
	}
	j.t.Log(b.String())
}
