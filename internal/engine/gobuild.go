package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/order"
)

// load makes a program through the go command: go build for the first artifact
// and the way it links, go list for the closure with its archives. Both must
// have seen the same module files and the same main package, or the way it links
// is that of another program: then it starts again. last may be nil.
func (e *Engine) load(ctx context.Context, t *Target, last *Program, why string, hooks Hooks) (*Program, *order.Outcome, error) {
	var known *graph.Snapshot
	if last != nil {
		known = last.Snap
	}
	for try := 1; ; try++ {
		prog, out, err := e.loadOnce(ctx, t, known, why, hooks, try == loadTries)
		if !errors.Is(err, errMoved) {
			return prog, out, err
		}
		if try == loadTries {
			return nil, out, &order.Error{Text: err.Error()}
		}
		known = prog.Snap
		hooks.Built = nil // the reply brings the next one
	}
}

// loadTries is how often a load that was overtaken starts again. Each takes a
// whole go build, and a module file is not written every second.
const loadTries = 3

// loadOnce is one try; with errMoved the Program has the snapshot that was read.
// The last one takes what go build made of files that do not stand still.
func (e *Engine) loadOnce(ctx context.Context, t *Target, known *graph.Snapshot, why string, hooks Hooks, lastTry bool) (*Program, *order.Outcome, error) {
	out := &order.Outcome{Fallback: why}
	if t.flags.unhandled != "" {
		out.Fallback = t.flags.unhandled
	}
	begin := time.Now()
	stamps := known.Stamps(t.job.Dir)
	art, recipe, text, err := e.goBuild(ctx, t, hooks)
	out.Phases.GoBuild = time.Since(begin)
	if err != nil {
		return nil, out, err
	}
	out.Artifact, out.Text = art, text
	hooks.built(art)
	start := time.Now()
	prog := &Program{Key: t.key, Link: recipe, Artifact: art, Unhandled: t.flags.unhandled, Loaded: begin}
	cfg := e.loadConfig(t)
	if recipe != nil {
		cfg.Implicit = implicitOf(recipe.Packages)
	}
	prog.Snap, err = graph.Load(ctx, cfg)
	out.Phases.Load = time.Since(start)
	if err != nil {
		return nil, out, fmt.Errorf("after go build: %w", err)
	}
	if t.flags.pgo != "off" && prog.Snap.HasProfile() {
		prog.Unhandled = "default.pgo is left to go build"
		if out.Fallback == "first build" {
			out.Fallback = prog.Unhandled
		}
	}
	plain := prog.Link == nil || prog.Unhandled != ""
	if prog.Snap.ModulesMoved(stamps, begin) {
		return prog, out, errMoved
	}
	if plain && prog.Snap.FilesMoved(stamps, begin) {
		next, moved := prog.Snap.DoubtMoved(stamps, begin)
		if !lastTry {
			return prog, out, &movedError{moved}
		}
		// As go build took them. What it read is unknown, so the next look at them
		// makes a new build.
		prog.Snap = next
	}
	out.Reloaded = true
	prog.Warnings = unknownTags(t.flags.tags, prog.Snap)
	out.Warnings = prog.Warnings
	if err := e.takeArchives(ctx, t, prog, cfg, begin); err != nil {
		return nil, out, err
	}
	out.Built = hooks.Built != nil
	if !plain && !e.takeArtifact(t, prog) {
		// A file was saved while the go command built.
		if prog.Snap.Main().SourceMoved(stamps, begin) {
			return prog, out, errMoved // its //go:debug lines are in the way it links
		}
		// Link what there is now.
		out.Built = false
		if prog, err = e.catchUp(ctx, t, prog, out); err != nil {
			return nil, out, err
		}
	}
	out.Artifact = prog.Artifact
	if out.Linker == "" {
		out.Refused = e.refusedAlways(t, prog)
	}
	return prog, out, nil
}

// catchUp brings a program that was just loaded up to date; out keeps telling
// of the load.
func (e *Engine) catchUp(ctx context.Context, t *Target, prog *Program, out *order.Outcome) (*Program, error) {
	next, more, err := e.updateTries(ctx, t, prog)
	var fb *fallback
	switch {
	case errors.As(err, &fb), errors.Is(err, errMoved):
		// What was saved now is for the next build, which must find it.
		doubtful := *prog
		doubtful.Snap = prog.Snap.Doubt(func(p *graph.Package, _ *graph.File) bool {
			_, known := prog.Archives[p.Path]
			return !known
		})
		return &doubtful, nil
	case err != nil:
		return nil, err
	}
	out.Packages, out.Compiled, out.Reused, out.CutOff = more.Packages, more.Compiled, more.Reused, more.CutOff
	out.Linker, out.LinkMode, out.Refused = more.Linker, more.LinkMode, more.Refused
	out.Phases.Compile, out.Phases.Link = more.Phases.Compile, more.Phases.Link
	return next, nil
}

// implicitOf returns the packages that a link can have without anybody
// importing them (cmd/go/internal/load/pkg.go, LinkerDeps).
func implicitOf(linked []string) []string {
	var out []string
	for _, path := range []string{"runtime", "runtime/cgo", "runtime/race", "runtime/msan", "runtime/asan", "math"} {
		if slices.Contains(linked, path) {
			out = append(out, path)
		}
	}
	return out
}

// goBuild runs the real go build and records how it links.
func (e *Engine) goBuild(ctx context.Context, t *Target, hooks Hooks) (_ order.Artifact, _ *LinkRecipe, said string, _ error) {
	rec, err := t.tempDir("record-")
	if err != nil {
		return order.Artifact{}, nil, "", fmt.Errorf("go build: %w", err)
	}
	defer os.RemoveAll(rec)
	key := newHash("go build")
	key.add(t.key, rec, time.Now().String())
	id := key.sum()
	pending, err := e.opt.Bins.New(binKey(id, t.binName()))
	if err != nil {
		return order.Artifact{}, nil, "", fmt.Errorf("go build: %w", err)
	}
	defer pending.Abort()
	args := []string{"build", "-o", pending.Path()}
	record := e.opt.Self != nil && t.flags.unhandled == ""
	if record {
		args = append(args, "-toolexec="+quoteWords(e.opt.Self))
	}
	args = append(args, t.job.Flags...)
	args = append(args, t.patterns...)
	cmd := exec.CommandContext(ctx, t.tool.Go, args...)
	cmd.Dir = t.job.Dir
	cmd.Env = append(withPWD(t.job.Env, t.job.Dir), recordEnv+"="+rec)
	cmd.WaitDelay = killWait
	killGroup(cmd)
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	stop := e.watchProgress(ctx, t, rec, record, hooks.Progress)
	err = cmd.Run()
	stop()
	if ctx.Err() != nil {
		return order.Artifact{}, nil, "", ctx.Err()
	}
	if err != nil {
		if text.Len() == 0 {
			return order.Artifact{}, nil, "", fmt.Errorf("go build: %w", err)
		}
		return order.Artifact{}, nil, "", &order.Error{Text: strings.TrimRight(text.String(), "\n")}
	}
	if !isProgram(pending.Path()) {
		return order.Artifact{}, nil, "", &order.Error{Text: strings.Join(t.patterns, " ") + " is not a main package"}
	}
	path, err := pending.Commit()
	if err != nil {
		return order.Artifact{}, nil, "", fmt.Errorf("go build: %w", err)
	}
	recipe, err := readLinkRecipe(rec)
	if err != nil {
		return order.Artifact{}, nil, "", err
	}
	return e.kept(id, path), recipe, strings.TrimSpace(text.String()), nil
}

// isProgram tells whether go build wrote a program: of a package that is no main
// package it writes the archive.
func isProgram(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var head [8]byte
	_, err = io.ReadFull(f, head[:])
	return err == nil && string(head[:]) != "!<arch>\n"
}

// quoteWords joins words for a go command flag (cmd/internal/quoted, Join).
func quoteWords(words []string) string {
	var out []string
	for _, w := range words {
		switch {
		case !strings.ContainsAny(w, " \t\r\n'\""):
		case !strings.Contains(w, "'"):
			w = "'" + w + "'"
		default:
			w = `"` + w + `"`
		}
		out = append(out, w)
	}
	return strings.Join(out, " ")
}

// takeArchives takes over the archives that the go command compiled, under our
// own action ids. One of a package whose files may have changed since the load
// began is only taken if the go command, asked again after we read the files,
// still finds it.
func (e *Engine) takeArchives(ctx context.Context, t *Target, prog *Program, cfg graph.LoadConfig, begin time.Time) error {
	prog.Archives = map[string]Archive{}
	s := prog.Snap
	var again map[string]string
	fingerprints := map[string]string{}
	for _, path := range s.Order() {
		p := s.Packages[path]
		if fp, err := fingerprintOf(p.Export); err == nil {
			fingerprints[path] = fp
		}
		if again == nil && p.Since(begin) {
			var err error
			if again, err = graph.Exports(ctx, cfg); err != nil {
				return fmt.Errorf("after go build: %w", err)
			}
		}
	}
	fingerprint := func(path string) string {
		if fp, ok := fingerprints[path]; ok {
			return fp
		}
		if p := s.Packages[path]; p != nil {
			return baseName(p.Export)
		}
		return ""
	}
	for _, path := range s.Order() {
		p := s.Packages[path]
		fp := fingerprints[path]
		if fp == "" || p.Since(begin) && (again[path] != p.Export || !p.Unmoved()) {
			continue
		}
		a := Archive{File: p.Export, Fingerprint: fp}
		if r, err := recipeOf(t, s, p); err == nil {
			a.ID = t.actionID(s, p, r, fingerprint)
		} else {
			// Never compiled by us: its archive is as good as its content.
			a.ID = "go:" + baseName(p.Export)
		}
		prog.Archives[path] = a
	}
	return nil
}

// takeArtifact files the program that go build made under its action id, if it
// was linked from the very archives that the snapshot names.
func (e *Engine) takeArtifact(t *Target, prog *Program) bool {
	for _, path := range prog.Snap.Order() {
		if _, ok := prog.Archives[path]; !ok {
			return false
		}
		if id := archiveBuildID(prog.Snap.Packages[path].Export); id == "" || id != prog.Link.ids[path] {
			return false
		}
	}
	for _, f := range prog.Snap.Inputs {
		if !f.Unmoved() {
			return false
		}
	}
	key := t.linkID(prog.Link, prog.Snap, prog.Archives)
	if path, ok := e.opt.Bins.Path(binKey(key, t.binName())); ok {
		prog.Artifact = e.kept(key, path)
		return true
	}
	pending, err := e.opt.Bins.New(binKey(key, t.binName()))
	if err != nil {
		return false
	}
	defer pending.Abort()
	if err := os.Link(prog.Artifact.Path, pending.Path()); err != nil {
		return false
	}
	path, err := pending.Commit()
	if err != nil {
		return false
	}
	prog.Artifact = e.kept(key, path)
	return true
}

// binName is the program's own name, as go build would choose it: the last
// element of the import path that is no major version (load.DefaultExecName).
func (t *Target) binName() string {
	name := "main"
	if len(t.patterns) > 0 {
		p := t.patterns[0]
		if strings.HasSuffix(p, ".go") {
			name = strings.TrimSuffix(filepath.Base(p), ".go")
		} else {
			if strings.HasPrefix(p, ".") {
				p = filepath.Join(t.job.Dir, p)
			}
			name = baseName(filepath.ToSlash(p))
			if mod, root := graph.ModulePath(t.job.Dir); root == p && mod != "" {
				name = execName(mod)
			}
		}
	}
	return name + t.tool.Env["GOEXE"]
}

// execName cuts an import path to the name of its program.
func execName(path string) string {
	elem := baseName(path)
	if len(elem) > 1 && elem[0] == 'v' && strings.Trim(elem[1:], "0123456789") == "" && elem != path {
		return baseName(strings.TrimSuffix(path, "/"+elem))
	}
	return elem
}

// linkID is the action id of a link.
func (t *Target) linkID(l *LinkRecipe, s *graph.Snapshot, archives map[string]Archive) string {
	h := newHash("link")
	h.add(t.toolID(), t.job.Linker, string(l.ModInfo), s.Target)
	h.add(l.Flags...)
	for _, path := range slices.Sorted(maps.Keys(s.Packages)) {
		if a, ok := archives[path]; ok {
			h.add(path, a.ID)
		} else {
			h.add(path, baseName(s.Packages[path].Export))
		}
	}
	return h.sum()
}
