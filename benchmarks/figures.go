package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// figureTests are tests of packages of the repository that measure what cannot
// be seen from outside, both sides in turn. Each prints its samples as benchmark
// text; the comments above them tell what is measured.
var figureTests = []figureTest{
	{"link", "./internal/link"},     // the linkers alone, with cgo and without
	{"reflex", "./internal/reflex"}, // hr reflex and the real one
}

type figureTest struct{ name, pkg string }

// figuresLimit is for the first run of all, which compiles caddy four times.
const figuresLimit = 15 * time.Minute

// figures runs the tests that measure and keeps their samples.
func (r *runner) figures(ctx context.Context) error {
	for _, f := range figureTests {
		if !r.wanted(f.name) {
			continue
		}
		began := time.Now()
		r.say("%s", f.name)
		env := r.env
		if f.name == "link" {
			// Always the same directory: the go command caches by it.
			dir := filepath.Join(r.o.out, "caddy")
			if err := caddy().create(ctx, r.o, r.env, dir); err != nil {
				return err
			}
			env = append(env[:len(env):len(env)], "CADDY="+dir)
		}
		n, err := r.figureTest(ctx, env, f.pkg)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && n == 0 {
			return err
		}
		if err != nil {
			// A figure that is not reached fails the test as well: the table tells.
			r.say("%v", err)
		}
		r.say("  %d samples %4.0f s", n, time.Since(began).Seconds())
	}
	return nil
}

// figureTest runs one test and returns how many samples it gave.
func (r *runner) figureTest(ctx context.Context, env []string, pkg string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, figuresLimit)
	defer cancel()
	p, err := start("go test "+pkg, r.o.root, env, "go", "test", "-v", "-count=1", "-timeout", figuresLimit.String(), "-run", "^TestFigures$", pkg, "-figures")
	if err != nil {
		return 0, err
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		p.kill()
	}
	n := 0
	for _, l := range p.lines {
		if !strings.HasPrefix(l.text, "Benchmark") {
			continue
		}
		s, _, err := parseSample(l.text)
		if err != nil {
			return n, fmt.Errorf("%s: %w", p.name, err)
		}
		r.results.add(s)
		n++
	}
	if !p.cmd.ProcessState.Success() {
		return n, fmt.Errorf("%s: %v\n%s", p.name, p.cmd.ProcessState, p.tail())
	}
	return n, nil
}

// wanted tells whether a program or a test that measures is to be run at all.
func (r *runner) wanted(name string) bool { return wanted(r.o, name, "") }
