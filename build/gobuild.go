package build

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hotreflex/hr/graph"
)

// progressEvery is how often a cold build counts what is compiled: four times a
// second looks alive and costs one directory listing.
const progressEvery = 250 * time.Millisecond

// load makes a program through the go command: go build for the first artifact
// and the way it links, go list for the closure with its archives.
func (e *Engine) load(ctx context.Context, t *Target, why string, hooks Hooks) (*Program, *Outcome, error) {
	out := &Outcome{Fallback: why}
	if t.flags.unhandled != "" {
		out.Fallback = t.flags.unhandled
	}
	begin := time.Now()
	art, recipe, text, err := e.goBuild(ctx, t, hooks)
	out.Phases.GoBuild = time.Since(begin)
	if err != nil {
		return nil, out, err
	}
	out.Artifact, out.Text = art, text
	hooks.built(art)
	start := time.Now()
	prog := &Program{Key: t.key, Link: recipe, Artifact: art, Unhandled: t.flags.unhandled, Loaded: begin}
	cfg := t.loadConfig(e.memo())
	if recipe != nil {
		cfg.Implicit = implicitOf(recipe.Packages)
	}
	prog.Snap, err = graph.Load(ctx, cfg)
	out.Phases.Load = time.Since(start)
	if err != nil {
		return nil, out, fmt.Errorf("after go build: %w", err)
	}
	out.Reloaded = true
	prog.Warnings = unknownTags(t.flags.tags, prog.Snap)
	out.Warnings = prog.Warnings
	e.takeArchives(t, prog, begin)
	e.takeArtifact(t, prog, begin)
	out.Artifact = prog.Artifact
	e.save(prog)
	return prog, out, nil
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
func (e *Engine) goBuild(ctx context.Context, t *Target, hooks Hooks) (_ Artifact, _ *LinkRecipe, said string, _ error) {
	rec, err := os.MkdirTemp("", "hr-record-")
	if err != nil {
		return Artifact{}, nil, "", fmt.Errorf("go build: %w", err)
	}
	defer os.RemoveAll(rec)
	key := newHash("go build")
	key.add(t.key, rec, time.Now().String())
	id := key.sum()
	pending, err := e.opt.Bins.New(binKey(id, t.binName()))
	if err != nil {
		return Artifact{}, nil, "", fmt.Errorf("go build: %w", err)
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
		return Artifact{}, nil, "", ctx.Err()
	}
	if err != nil {
		if text.Len() == 0 {
			return Artifact{}, nil, "", fmt.Errorf("go build: %w", err)
		}
		return Artifact{}, nil, "", &Error{Text: strings.TrimRight(text.String(), "\n")}
	}
	if _, err := os.Stat(pending.Path()); err != nil {
		return Artifact{}, nil, "", &Error{Text: strings.Join(t.patterns, " ") + " is not a main package"}
	}
	path, err := pending.Commit()
	if err != nil {
		return Artifact{}, nil, "", fmt.Errorf("go build: %w", err)
	}
	recipe, err := readLinkRecipe(rec)
	if err != nil {
		return Artifact{}, nil, "", err
	}
	return Artifact{Key: id, Path: path}, recipe, strings.TrimSpace(text.String()), nil
}

// watchProgress reports how many packages are compiled until the returned
// function is called.
func (e *Engine) watchProgress(ctx context.Context, t *Target, rec string, record bool, progress func(done, all int)) (stop func()) {
	if progress == nil || !record {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		all, fresh := -1, 0
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			names, err := os.ReadDir(rec)
			if err != nil {
				continue
			}
			if all < 0 {
				// Only a build that is not over by the first tick pays for this.
				all, fresh = e.countStale(ctx, t)
				fresh += len(names)
			}
			if all > 0 {
				progress(min(all-fresh+len(names), all), all)
			} else {
				progress(len(names), 0)
			}
		}
	}()
	return func() { cancel(); <-done }
}

// countStale asks the go command how many packages the closure has, and how
// many of them its cache lacks; 0 of 0 if it does not know.
func (e *Engine) countStale(ctx context.Context, t *Target) (all, stale int) {
	args := append([]string{"list", "-e", "-deps", "-f", "{{.Stale}}"}, t.job.Flags...)
	out, err := runGo(ctx, t.tool.Go, t.job.Dir, t.job.Env, append(args, t.patterns...)...)
	if err != nil {
		return 0, 0
	}
	return strings.Count(string(out), "\n"), strings.Count(string(out), "true")
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
// own action ids. A package with a file younger than the load is left out: which
// of its contents the go command read is unknown.
func (e *Engine) takeArchives(t *Target, prog *Program, begin time.Time) {
	prog.Archives = map[string]Archive{}
	s := prog.Snap
	fingerprints := map[string]string{}
	for _, path := range s.Order() {
		if fp, err := fingerprintOf(s.Packages[path].Export); err == nil {
			fingerprints[path] = fp
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
		if fp == "" || p.Since(begin) {
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
}

// takeArtifact files the program that go build made under its action id, if all
// that went into it is known.
func (e *Engine) takeArtifact(t *Target, prog *Program, begin time.Time) {
	for _, path := range prog.Snap.Order() {
		if _, ok := prog.Archives[path]; !ok {
			return
		}
	}
	for _, f := range prog.Snap.Inputs {
		if f.Stamp.Mtime >= begin.UnixNano() || f.Stamp.Ctime >= begin.UnixNano() {
			return
		}
	}
	if prog.Link == nil {
		return
	}
	key := t.linkID(prog.Link, prog.Snap, prog.Archives)
	if path, ok := e.opt.Bins.Path(binKey(key, t.binName())); ok {
		prog.Artifact = Artifact{Key: key, Path: path}
		return
	}
	pending, err := e.opt.Bins.New(binKey(key, t.binName()))
	if err != nil {
		return
	}
	defer pending.Abort()
	if err := os.Link(prog.Artifact.Path, pending.Path()); err != nil {
		return
	}
	if path, err := pending.Commit(); err == nil {
		prog.Artifact = Artifact{Key: key, Path: path}
	}
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
	h.add(t.toolID(), t.job.Linker, l.ModInfo, s.Target)
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
