// Package engine makes programs: it drives the Go toolchain for one target in
// one build context and does as little as makes the result right.
//
// An Engine loads a Program through the go command once and then follows the
// source: it scans the inputs, makes the next snapshot, plans which packages
// must be compiled, runs the compiler with the arguments that the go command
// would give, stops where a package's export data did not change, and links.
// Whatever it does not understand goes to go build, with the reason. It is the
// only package that runs the Go tools. It does not watch, holds no sessions and
// starts no programs; package daemon calls it. An Engine may be used by several
// goroutines at once; a Program is immutable.
package engine

import (
	"context"
	"sync"
	"time"

	"github.com/hotreflex/hr/cache"
	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/link"
	"github.com/hotreflex/hr/internal/order"
)

// Program is what is known of one target in one build context: its snapshot and
// the archives and the artifact that were made of it.
type Program struct {
	Key  string          `json:"key"`
	Snap *graph.Snapshot `json:"snap"`
	// Link is how the go command links this program.
	Link *LinkRecipe `json:"link"`
	// Archives of the Local packages by import path.
	Archives map[string]Archive `json:"archives"`
	Artifact order.Artifact     `json:"artifact"`
	// Unhandled says why every build of this program goes to go build.
	Unhandled string `json:"unhandled,omitempty"`
	// Warnings were found when the closure was listed.
	Warnings []string `json:"warnings,omitempty"`
	// Reached stands for the functions in the program, if the incremental linker
	// made it.
	Reached uint64 `json:"reached,omitempty"`
	// Loaded is when the go command last listed the whole closure.
	Loaded time.Time `json:"loaded"`
}

// Archive is a compiled package.
type Archive struct {
	// ID is the action id: the hash of all that can change the archive.
	ID   string `json:"id"`
	File string `json:"file"`
	// Fingerprint is the hash of the export data: importers with the same
	// fingerprints of their imports need not be compiled again.
	Fingerprint string `json:"fp"`
}

// Hooks are called while a build runs, by the goroutine that builds or one that
// it waits for. Each may be nil.
type Hooks struct {
	// Progress tells that done of all packages are compiled in a cold build; all
	// is 0 while it is unknown.
	Progress func(done, all int)
	// Built hands over a program that can run already, while the build goes on
	// to learn what the next one needs.
	Built func(order.Artifact)
}

func (h Hooks) built(a order.Artifact) {
	if h.Built != nil {
		h.Built(a)
	}
}

// Options are an engine's parts. Store may be nil: then nothing is remembered.
type Options struct {
	Store    *cache.Store
	Archives *cache.Files
	Bins     *cache.Files
	// Incremental is tried before the toolchain's linker; nil for never.
	Incremental link.Linker
	// Self is the command that this executable is called with to record the go
	// command's link: its main must hand such calls to RunToolexec.
	Self []string
	Log  func(format string, args ...any)
}

// Engine builds programs.
type Engine struct {
	opt     Options
	tools   *toolchains
	gotool  link.Linker
	started time.Time
	live    live
	swept   sync.Map // what Sweep was done for: keys of targets, directories
}

// New returns an engine.
func New(opt Options) *Engine {
	if opt.Log == nil {
		opt.Log = func(string, ...any) {}
	}
	return &Engine{opt: opt, tools: newToolchains(opt.Store), gotool: link.NewToolchain(), started: time.Now()}
}

// Resolve finds out what the words of a job stand for. No go command runs for a
// client whose toolchain is known.
func (e *Engine) Resolve(ctx context.Context, job order.Job) (*Target, error) {
	return e.resolve(ctx, job)
}

// Build brings the program of the target up to date: from last, else from what
// the store remembers, else from nothing. A program that does not build is an
// *Error; the Outcome tells how far it got and may be nil.
func (e *Engine) Build(ctx context.Context, t *Target, last *Program, hooks Hooks) (prog *Program, out *order.Outcome, err error) {
	defer func() {
		if out != nil {
			out.Flags = t.job.Flags
		}
	}()
	scratch, err := e.newScratch(t.job.Env)
	if err != nil {
		return nil, nil, err
	}
	defer scratch.Remove()
	t = t.within(scratch)
	if last != nil && last.Key != t.key {
		last = nil
	}
	remembered := last == nil
	if remembered {
		last = e.restore(t)
	}
	if last == nil {
		return e.load(ctx, t, nil, "first build", hooks)
	}
	prog, out, err = e.update(ctx, t, last, hooks)
	if out != nil && remembered {
		out.Reloaded = true // what came before, if anything, has other packages and files
	}
	return prog, out, err
}
