package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hotreflex/hr/internal/link"
)

// link makes the artifact of prog, unless it exists.
func (e *Engine) link(ctx context.Context, t *Target, prog *Program, out *Outcome) error {
	key := t.linkID(prog.Link, prog.Snap, prog.Archives)
	if path, ok := e.linkedBefore(t, key); ok {
		prog.Artifact = Artifact{Key: key, Path: path}
		return nil
	}
	req, err := e.linkRequest(t, prog, key)
	if err != nil {
		return err
	}
	if e.incremental(t) {
		path, res, err := e.linkLive(ctx, t, req, key)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			out.Linker, out.LinkMode = res.Linker, res.Mode
			prog.Reached = res.Reached
			prog.Artifact = Artifact{Key: key, Path: path}
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
	prog.Artifact = Artifact{Key: key, Path: path}
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
	err = link.CrossCheck(ctx, req)
	var tool *link.ToolError
	if errors.As(err, &tool) {
		return errors.New(strings.TrimSpace(string(tool.Output)))
	}
	return nil
}

// liveKeep is how many programs may have live artifacts on the fast place: as
// many as the incremental linker keeps in memory.
const liveKeep = 4

// liveDir is where the incremental linker writes a program's artifacts. It takes
// old ones back and patches them, so they are no content-addressed files: one
// that is there is whole, and one that is gone was made into another.
func (e *Engine) liveDir(t *Target) string {
	return filepath.Join(filepath.Dir(e.opt.Bins.Dir()), "live", t.key[:16])
}

func (e *Engine) livePath(t *Target, key string) string {
	return filepath.Join(e.liveDir(t), key[:16], t.binName())
}

// linkLive links with the incremental linker.
func (e *Engine) linkLive(ctx context.Context, t *Target, req link.Request, key string) (string, link.Result, error) {
	req.Out = e.livePath(t, key)
	if err := os.MkdirAll(filepath.Dir(req.Out), 0o700); err != nil {
		return "", link.Result{}, fmt.Errorf("link: %w", err)
	}
	res, err := e.opt.Incremental.Link(ctx, req)
	if err != nil {
		os.Remove(filepath.Dir(req.Out)) // empty: nothing was written
	}
	return req.Out, res, err
}

// linkedBefore returns the artifact of an action id if one of the linkers made
// it before.
func (e *Engine) linkedBefore(t *Target, key string) (string, bool) {
	if path, ok := e.opt.Bins.Path(binKey(key, t.binName())); ok {
		return path, true
	}
	path := e.livePath(t, key)
	return path, e.incremental(t) && fileExists(path)
}

// Warm has the incremental linker load a program that the go command has linked,
// so that the next link is a matter of what changed. It is for idle time.
func (e *Engine) Warm(ctx context.Context, t *Target, prog *Program) {
	if !e.incremental(t) || prog.Link == nil || prog.Unhandled != "" {
		return
	}
	e.sweepLive(e.liveDir(t))
	e.sweepOld(t)
	key := t.linkID(prog.Link, prog.Snap, prog.Archives)
	req, err := e.linkRequest(t, prog, key)
	if err != nil {
		return // the next build says why
	}
	if _, _, err := e.linkLive(ctx, t, req, key); err != nil && ctx.Err() == nil {
		e.opt.Log("incremental linker: %v", err) // the next build tells the user
	}
}

// sweepLive removes the live artifacts of programs that were built longest ago,
// beyond liveKeep. A running one keeps its blocks until it ends.
func (e *Engine) sweepLive(current string) {
	root := filepath.Dir(current)
	entries, err := os.ReadDir(root)
	if err != nil || len(entries) < liveKeep {
		return
	}
	type aged struct {
		dir string
		at  time.Time
	}
	var all []aged
	for _, d := range entries {
		if fi, err := d.Info(); err == nil && filepath.Join(root, d.Name()) != current {
			all = append(all, aged{filepath.Join(root, d.Name()), fi.ModTime()})
		}
	}
	for len(all) >= liveKeep {
		oldest := 0
		for i := range all {
			if all[i].at.Before(all[oldest].at) {
				oldest = i
			}
		}
		os.RemoveAll(all[oldest].dir)
		all = append(all[:oldest], all[oldest+1:]...)
	}
}

// oldLive is how long a live artifact is kept that the linker may not know any
// more: a front end that was told of it has started it long before.
const oldLive = time.Minute

// sweepOld removes the live artifacts of earlier loads of one program.
func (e *Engine) sweepOld(t *Target) {
	dir := e.liveDir(t)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, d := range entries {
		path := filepath.Join(dir, d.Name(), t.binName())
		if fi, err := d.Info(); err == nil && time.Since(fi.ModTime()) > oldLive && (e.opt.Held == nil || !e.opt.Held(path)) {
			os.RemoveAll(filepath.Join(dir, d.Name()))
		}
	}
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
