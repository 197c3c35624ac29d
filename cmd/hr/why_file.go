package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hotreflex/hr/astcheck"
	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/paths"
	"github.com/hotreflex/hr/internal/printable"
	"github.com/hotreflex/hr/internal/protocol"
)

// fileAnswer is what hr why FILE tells.
type fileAnswer struct {
	File    string   `json:"file"`
	Input   bool     `json:"input"`
	Kind    string   `json:"kind,omitempty"`
	Package string   `json:"package,omitempty"`
	Above   []string `json:"above,omitempty"` // packages that a change can reach
	// Embedders are other packages that embed it.
	Embedders []string  `json:"embedders,omitempty"`
	Verdict   string    `json:"verdict"`
	Why       string    `json:"why"`
	Last      *decision `json:"last,omitempty"`
}

// whyFile judges a file as the running hr would, with the snapshot of its
// session.
func whyFile(c *command, d *reportData, name string, asJSON bool) int {
	path, err := filepath.Abs(name)
	if err != nil {
		return c.fail(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	snap, err := snapshotOf(ctx, d)
	if err != nil {
		return c.fail(err)
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) && filepath.Base(name) == name {
		// Short lines name files so.
		switch all := inputsNamed(snap, name); len(all) {
		case 0:
		case 1:
			path = all[0]
		default:
			for i := range all {
				all[i] = paths.Short(d.Dir, all[i])
			}
			return c.fail(&protocol.Error{Code: protocol.CodeUsage, Message: fmt.Sprintf("%d files have the name %s", len(all), name), Hint: "say which: " + strings.Join(all, ", ")})
		}
	}
	a := answer(snap, path)
	if !a.Input && a.Verdict == astcheck.Unused.String() {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			a.Why = "does not exist"
		}
	}
	for _, x := range d.Changes {
		if x.Path == path {
			a.Last = &x
		}
	}
	if asJSON {
		json.NewEncoder(c.stdout).Encode(a)
		return exitOK
	}
	short := paths.Short(d.Dir, path)
	if a.Input {
		printable.Fprintf(c.stdout, "%s: %s file of %s\n", short, a.Kind, cmp.Or(a.Package, "the module"))
		if len(a.Embedders) > 0 {
			printable.Fprintf(c.stdout, "embedded by %s\n", strings.Join(a.Embedders, ", "))
		}
		if len(a.Above) > 0 {
			printable.Fprintf(c.stdout, "a change can reach %s\n", strings.Join(a.Above, ", "))
		}
	} else {
		printable.Fprintf(c.stdout, "%s: %s: %s\n", short, a.Verdict, a.Why)
	}
	if a.Last != nil {
		printable.Fprintf(c.stdout, "last save: %s: %s\n", a.Last.Verdict, a.Last.Why)
	}
	return exitOK
}

// inputsNamed returns the inputs of the build that have a base name.
func inputsNamed(snap *graph.Snapshot, base string) []string {
	var all []string
	add := func(files map[string]*graph.File) {
		for path := range files {
			if filepath.Base(path) == base {
				all = append(all, path)
			}
		}
	}
	add(snap.Inputs)
	for _, p := range snap.Packages {
		add(p.Files)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func answer(snap *graph.Snapshot, path string) fileAnswer {
	ch := snap.Judge(path)
	a := fileAnswer{File: path, Verdict: ch.Verdict.String(), Why: ch.Why, Package: ch.Package}
	if f := snap.File(path); f != nil {
		a.Input, a.Kind = true, string(f.Kind)
		for _, p := range snap.Readers(path) {
			if p.Path != a.Package {
				a.Embedders = append(a.Embedders, p.Path)
			}
			a.Above = union(a.Above, snap.Above(p.Path))
		}
	}
	return a
}
