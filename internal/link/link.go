// Package link turns compiled archives into a program.
//
// It holds the one description of a link, Request, and the linkers that take
// it: Toolchain runs the go tool's own linker, Incremental keeps every object
// parsed and patches the image of the last link. It does not compile, does not
// decide what to link, and keeps nothing on disk but the program it writes.
// Package build calls it. A linker may be used by several goroutines at once;
// links of one State key wait for each other.
package link

import (
	"context"
	"errors"
	"time"

	"github.com/hotreflex/hr/internal/place"
)

// Linker makes a program from a Request.
type Linker interface {
	// Link writes r.Out. A *Refusal says that this linker does not handle the
	// request and another one should: nothing was written then.
	Link(ctx context.Context, r Request) (Result, error)
}

// Request describes one link completely: everything that the go command tells
// its linker (cmd/go/internal/work/gc.go, gcToolchain.ld, and exec.go, the
// importcfg.link file).
type Request struct {
	// State names the program under development: build context and target.
	// A linker that keeps state between links keeps it under this key.
	State string
	// Tool is the toolchain's link program, GOROOT its root.
	Tool, GOROOT string
	// GoVersion is runtime.Version() of the toolchain, as in "go1.26.8".
	GoVersion    string
	GOOS, GOARCH string
	// Flags are the linker's flags as the go command gave them, without -o,
	// -importcfg, -buildid and the main archive.
	Flags []string
	// BuildID is the value of -buildid.
	BuildID string
	// Env and Dir are the environment and the directory of the go command.
	Env []string
	Dir string
	// Temp is where temporary files go; empty is the usual place.
	Temp string
	// Main is the archive of package main. Packages are all others of the
	// closure, in any order.
	Main     Package
	Packages []Package
	// ModInfo is the unquoted value of the modinfo line of importcfg.link, with
	// its 16-byte brackets; empty if there is none.
	ModInfo string
	// Seal is the key that the incremental linker seals the program with
	// (place.Seal); the toolchain's leaves that to the caller.
	Seal string
	// Out is the path of the program. It does not exist yet, or may be replaced
	// by rename; it is never written in place while it may be running.
	Out string
}

// Package is one archive of a link.
type Package struct {
	Path string // import path; that of the directory for package main
	File string // the archive; never overwritten, so a changed package has a new File
	Hot  bool   // under development: its archive may be another one in the next link
}

// Result tells how a link went.
type Result struct {
	Linker string        // "go" or "incremental"
	Mode   string        // "full", or of the incremental linker "relink", "layout" (all placed anew from memory)
	Took   time.Duration // wall time inside the linker
	// Reached stands for the set of functions in the program. The incremental
	// linker does not check all that the toolchain's does (linkname, stack
	// depth); that can only change when this does. 0: not known.
	Reached uint64
	// Sum is of the bytes of a program that was sealed.
	Sum place.Sum
}

// Refusal is the error of a linker that does not handle a request.
type Refusal struct{ Reason string }

func (r *Refusal) Error() string { return "link: refused: " + r.Reason }

// IsRefusal returns the reason if err is, or wraps, a Refusal.
func IsRefusal(err error) (reason string, ok bool) {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Reason, true
	}
	return "", false
}
