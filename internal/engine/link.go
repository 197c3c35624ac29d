package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hotreflex/hr/internal/link"
	"github.com/hotreflex/hr/internal/order"
)

// link makes the artifact of prog, unless it exists.
func (e *Engine) link(ctx context.Context, t *Target, prog *Program, out *order.Outcome) error {
	key := t.linkID(prog.Link, prog.Snap, prog.Archives)
	if a, ok := e.linkedBefore(t, key); ok {
		prog.Artifact = a
		return nil
	}
	req, err := e.linkRequest(t, prog, key)
	if err != nil {
		return err
	}
	if e.incremental(t) {
		a, res, err := e.linkLive(ctx, t, req, key)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			out.Linker, out.LinkMode = res.Linker, res.Mode
			prog.Reached = res.Reached
			prog.Artifact = a
			return nil
		}
		out.Refused = e.refusal(err)
	}
	pending, err := e.opt.Bins.New(binKey(key, t.binName()))
	if err != nil {
		return fmt.Errorf("link: %w", err)
	}
	defer pending.Abort()
	req.Out = pending.Path()
	res, err := e.gotool.Link(ctx, req)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var tool *link.ToolError
	if errors.As(err, &tool) {
		// go build is the judge, and shows it as users know it.
		said, _, _ := strings.Cut(strings.TrimSpace(string(tool.Output)), "\n")
		return &fallback{strings.TrimSuffix("the link failed: "+said, ": ")}
	}
	if err != nil {
		return err
	}
	out.Linker, out.LinkMode = res.Linker, res.Mode
	path, err := pending.Commit()
	if err != nil {
		return fmt.Errorf("link: %w", err)
	}
	prog.Artifact = e.kept(key, path)
	return nil
}

// incremental tells whether the incremental linker may be tried: prod and
// --debug keep DWARF, which it does not write.
func (e *Engine) incremental(t *Target) bool {
	return e.opt.Incremental != nil && t.job.Linker != "go" && !t.flags.dwarf && t.flags.unhandled == ""
}

// refusedAlways returns why the incremental linker will not link any version of
// a program that the go command has linked; empty if it may.
func (e *Engine) refusedAlways(t *Target, prog *Program) string {
	if !e.incremental(t) || prog.Link == nil {
		return ""
	}
	req, err := e.linkRequest(t, prog, prog.Artifact.Key)
	if err != nil {
		return "" // the next build says why
	}
	reason, _ := link.IsRefusal(link.Accepts(req))
	return reason
}

// refusal returns why the incremental linker did not link.
func (e *Engine) refusal(err error) string {
	if reason, ok := link.IsRefusal(err); ok {
		return reason
	}
	e.opt.Log("incremental linker: %v", err)
	return err.Error()
}

// CrossCheck has the toolchain's linker link the program as well, for the errors
// that the incremental one does not look for: references that linkname rules
// forbid, stacks too deep for nosplit functions. It takes as long as a full link
// and belongs into idle time.
func (e *Engine) CrossCheck(ctx context.Context, t *Target, prog *Program) error {
	req, err := e.linkRequest(t, prog, prog.Artifact.Key)
	if err != nil {
		return nil // an archive is gone: the next build says so
	}
	scratch, err := e.newScratch(t.job.Env)
	if err != nil {
		return nil // no room: the check can wait
	}
	defer scratch.Remove()
	req.Temp = scratch.Path()
	err = link.CrossCheck(ctx, req)
	var tool *link.ToolError
	if errors.As(err, &tool) {
		return errors.New(strings.TrimSpace(string(tool.Output)))
	}
	return nil
}

// linkRequest describes the link of prog.
func (e *Engine) linkRequest(t *Target, prog *Program, key string) (link.Request, error) {
	l := prog.Link
	s := prog.Snap
	r := link.Request{
		State:     t.key,
		Tool:      l.Tool,
		GOROOT:    t.tool.GOROOT(),
		GoVersion: t.tool.Env["GOVERSION"],
		GOOS:      t.tool.Env["GOOS"],
		GOARCH:    t.tool.Env["GOARCH"],
		Flags:     l.Flags,
		BuildID:   sameLength(key, l.BuildID),
		Env:       l.Env,
		Dir:       l.Dir,
		Temp:      t.scratch,
		ModInfo:   string(l.ModInfo),
	}
	for _, path := range sortedKeys(s.Packages) {
		p := s.Packages[path]
		file := p.Export
		if p.Local {
			file = prog.Archives[path].File
		}
		if file == "" {
			if path == "unsafe" {
				continue
			}
			return r, &fallback{"the archive of " + path + " is unknown"}
		}
		q := link.Package{Path: path, File: file, Hot: p.Local && !p.Fixed}
		if path == s.Target {
			r.Main = q
			continue
		}
		if !p.Local && !fileExists(file) {
			return r, &fallback{lostArchive}
		}
		r.Packages = append(r.Packages, q)
	}
	return r, nil
}

// sameLength makes a build id of the form and length of go build's: the note
// that holds it must not change size.
func sameLength(key, like string) string {
	out := []byte(like)
	j := 0
	for i, c := range out {
		if c != '/' {
			out[i] = key[j%len(key)]
			j++
		}
	}
	return string(out)
}
