package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
)

// seats gives each tool that a job names its copy and starts it once, so that
// what is measured later is not the first build.
func (r *runner) seats(ctx context.Context, p program, jobs []job) (map[string]*seat, error) {
	seats := map[string]*seat{}
	sources := map[string]*source{}
	for _, t := range r.tools {
		if !slices.ContainsFunc(jobs, func(j job) bool { return j.takes(t.name()) }) && t.name() != "go-build" {
			continue
		}
		src, ok := sources[t.place()]
		if !ok {
			src = newSource(filepath.Join(r.work, p.name, t.place(), p.name))
			if err := os.MkdirAll(src.dir, 0o755); err != nil {
				return nil, err
			}
			if err := p.create(ctx, r.o, r.env, src.dir); err != nil {
				return nil, err
			}
			sources[t.place()] = src
		}
		scratch := filepath.Join(r.work, p.name, "scratch", t.name())
		if err := os.MkdirAll(scratch, 0o755); err != nil {
			return nil, err
		}
		addr, err := r.ports.free()
		if err != nil {
			return nil, err
		}
		args, err := p.args(addr, scratch)
		if err != nil {
			return nil, err
		}
		s := &seat{tool: t, prog: p, src: src, probe: probe{addr}, args: args, env: r.env, scratch: scratch}
		if h, ok := t.(hr); ok {
			s.env = h.env
		}
		seats[t.name()] = s
		v, err := s.startRested(ctx)
		if err = errors.Join(err, s.end(ctx)); err != nil {
			r.drop(s, err)
			continue
		}
		// The copies that watchers have are all new; only what they depend on is
		// compiled already.
		if t.place() != plainPlace {
			r.add(startCase, s, "first", v)
		}
	}
	return seats, nil
}

// open starts the tools that take edits.
func (r *runner) open(ctx context.Context, seats map[string]*seat, jobs []job) {
	for _, name := range names(seats) {
		s := seats[name]
		if r.broken[s.id()] || !slices.ContainsFunc(jobs, func(j job) bool { return j.kind != startCase && j.takes(name) }) {
			continue
		}
		if _, err := s.startRested(ctx); err != nil {
			r.drop(s, err)
		}
	}
}
