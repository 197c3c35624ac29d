package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hotreflex/hr/benchmarks/judge/edits"
)

// shrink looks for the shortest sequence of steps that still differs: it leaves
// out ever smaller parts (Zeller's delta debugging), each time on a new tree.
func (o *options) shrink(ctx context.Context, name string, steps []edits.Step) {
	if o.limit <= 0 {
		return
	}
	quiet := *o
	quiet.verbose = false
	ctx, cancel := context.WithTimeout(ctx, o.limit)
	defer cancel()
	steps = slices.Clone(steps)
	for part := (len(steps) + 1) / 2; part >= 1; {
		smaller := false
		// From the end: what came last is needed, what came early mostly is not.
		for at := 0; at < len(steps); {
			try := slices.Delete(slices.Clone(steps), at, min(at+part, len(steps)))
			switch differs, err := quiet.differs(ctx, name, try); {
			case ctx.Err() != nil:
				fmt.Fprintf(o.out, "no time to look further; the shortest so far has %d steps:\n-steps='%s'\n", len(steps), words(steps))
				return
			case err == nil && differs:
				steps, smaller = try, true
			default:
				at += part
			}
		}
		if !smaller && part == 1 {
			break
		}
		if !smaller || part > len(steps) {
			part = max(1, part/2)
		}
	}
	fmt.Fprintf(o.out, "the shortest that still differs has %d steps:\n-steps='%s'\n", len(steps), words(steps))
}

// differs judges the steps on a new tree.
func (o *options) differs(ctx context.Context, name string, steps []edits.Step) (bool, error) {
	begin := time.Now()
	j, err := o.begin(ctx, name)
	if err != nil {
		return false, err
	}
	defer j.end(true)
	for _, s := range steps {
		err := j.step(ctx, s)
		var d *difference
		if errors.As(err, &d) {
			fmt.Fprintf(o.out, "%d steps differ too (%s)\n", len(steps), time.Since(begin).Round(time.Second))
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}
