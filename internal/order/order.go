// Package order has the words between who wants a program and who makes it: what
// is asked for (Job), what came of it (Outcome), where it lies (Artifact).
//
// It makes nothing itself; an artifact can be held, so that its file stays what it
// is while it runs. Called by all between cmd/hr and package engine. Its values
// are plain data.
package order

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/hotreflex/hr/astcheck"
	"github.com/hotreflex/hr/internal/graph"
)

// Job says what a client wants built: the words of its command line, and where
// and as whom it runs.
type Job struct {
	Dir   string   `json:"dir"`   // the client's directory, after -C
	Env   []string `json:"env"`   // the client's environment
	Flags []string `json:"flags"` // go build flags, one word each, as in "-tags=dev"
	// Profile adds its flags to these and to those of GOFLAGS: dev, test or prod,
	// or auto for the one that the tags name. Empty adds none.
	Profile string `json:"profile,omitempty"`
	Debug   bool   `json:"debug,omitempty"` // the profile is for a debugger
	// Package is the package argument: a path, an import path, Go files, or
	// nothing for the only main package that can be meant.
	Package []string `json:"package"`
	// Plain asks for go build and nothing else.
	Plain bool `json:"plain,omitempty"`
	// Linker is "auto", "incremental" or "go"; empty means auto.
	Linker string `json:"linker,omitempty"`
}

// Digest stands for all of the job: who is sent it back knows what an answer is
// the answer to. Each list goes in with its length, so that no two jobs meet.
func (j Job) Digest() string {
	h := sha256.New()
	for _, words := range [][]string{{j.Dir, j.Linker, fmt.Sprint(j.Plain), j.Profile, fmt.Sprint(j.Debug)}, j.Env, j.Flags, j.Package} {
		fmt.Fprintf(h, "%d\n", len(words))
		for _, w := range words {
			fmt.Fprintf(h, "%d %s\n", len(w), w)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Outcome tells what a build did and why.
type Outcome struct {
	Artifact Artifact        `json:"artifact"`
	Changes  []graph.Change  `json:"changes,omitempty"`
	Packages []PackageResult `json:"packages,omitempty"`
	Compiled int             `json:"compiled"`
	CutOff   int             `json:"cutOff"`
	Reused   int             `json:"reused"`
	Linker   string          `json:"linker,omitempty"` // "go", "incremental", or "" if nothing was linked
	LinkMode string          `json:"linkMode,omitempty"`
	// Fallback is why go build did the work; empty if it did not.
	Fallback string `json:"fallback,omitempty"`
	// Refused is why the incremental linker left the link to the toolchain's.
	Refused string           `json:"refused,omitempty"`
	Phases  Phases           `json:"phases"`
	Worst   astcheck.Verdict `json:"verdict"`
	// Flags are the build flags that the go command is given: those of the command
	// line, and what the profile adds to them and to GOFLAGS.
	Flags []string `json:"flags,omitempty"`
	// Text is what the go command printed although the build went well.
	Text string `json:"text,omitempty"`
	// Warnings are for the user: a tag that no file mentions.
	Warnings []string `json:"warnings,omitempty"`
	// Built tells that Artifact is the program that Hooks.Built handed over, if
	// under another name: it need not be started again.
	Built bool `json:"built,omitempty"`
	// Reloaded tells that the snapshot has other packages or files than before.
	Reloaded bool `json:"reloaded,omitempty"`
}

// PackageResult is what happened to one package of the rebuild set.
type PackageResult struct {
	Path   string        `json:"path"`
	Action string        `json:"action"` // "compiled", "cut off", "reused", "failed", "skipped"
	Why    string        `json:"why"`
	Took   time.Duration `json:"took,omitempty"`
}

// Phases are the durations of the parts of a build.
type Phases struct {
	Scan    time.Duration `json:"scan"`
	Load    time.Duration `json:"load,omitempty"`
	Compile time.Duration `json:"compile,omitempty"`
	Link    time.Duration `json:"link,omitempty"`
	GoBuild time.Duration `json:"goBuild,omitempty"`
}

// Error is the error of a user's program that does not build. Text is what the
// go command would print.
type Error struct {
	Text   string                `json:"text"`
	Syntax *astcheck.SyntaxError `json:"syntax,omitempty"`
}

func (e *Error) Error() string { return e.Text }
