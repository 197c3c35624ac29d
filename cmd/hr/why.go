package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/paths"
	"github.com/hotreflex/hr/internal/printable"
	"github.com/hotreflex/hr/internal/protocol"
)

// whyVerb is hr why: what the hr that runs here decided last, or what a file
// means to it.
func whyVerb(c *command, args []string) int {
	fs := pflag.NewFlagSet("why", pflag.ContinueOnError)
	asJSON := fs.Bool("json", false, "print it as JSON")
	pid := fs.Int("pid", 0, "ask the hr with this process id")
	if code, ok := c.parse(fs, "why", args); !ok {
		return code
	}
	if fs.NArg() > 1 {
		return c.fail(&protocol.Error{Code: protocol.CodeUsage, Message: "hr why takes one file", Hint: "hr why internal/greet/greet.go"})
	}
	data, err := findReport(*pid, false)
	if err != nil {
		return c.fail(err)
	}
	if fs.NArg() == 1 {
		return whyFile(c, data, fs.Arg(0), *asJSON)
	}
	if *asJSON {
		json.NewEncoder(c.stdout).Encode(data)
		return exitOK
	}
	printReport(c.stdout, data)
	return exitOK
}

// findReport chooses among the running hrs: the one asked for, else the one of
// our directory. If sure, one that only might be meant is an error.
func findReport(pid int, sure bool) (*reportData, error) {
	dir, err := sessionsDir()
	if err != nil {
		return nil, err
	}
	running, err := readReports(dir)
	if err != nil {
		return nil, err
	}
	cwd, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("find the current directory: %w", err)
	}
	if len(running) == 0 {
		return nil, &protocol.Error{Code: protocol.CodeNotFound, Message: "no hr is running", Hint: "hr run starts one"}
	}
	if pid != 0 {
		for _, d := range running {
			if d.Pid == pid {
				return d, nil
			}
		}
		return nil, &protocol.Error{Code: protocol.CodeNotFound, Message: fmt.Sprintf("no hr with process id %d is running", pid), Hint: "hr ps lists those that run"}
	}
	return chooseReport(running, cwd, sure)
}

// chooseReport takes the hr whose directory is nearest to ours among those of
// our module and those above us, else of those below us. Outside of a module, and
// for who is not sure, any will do that is the only one.
func chooseReport(running []*reportData, cwd string, sure bool) (*reportData, error) {
	_, module := graph.ModulePath(cwd)
	var here, below []*reportData
	for _, d := range running {
		_, root := graph.ModulePath(d.Dir)
		switch {
		case paths.WithinAny(cwd, []string{d.Dir}), root != "" && root == module:
			here = append(here, d)
		case paths.WithinAny(d.Dir, []string{cwd}):
			below = append(below, d)
		}
	}
	all := here
	if len(all) == 0 {
		all = below
	}
	if len(all) == 0 && (module == "" || !sure) {
		all = running
	}
	best := func(a, b *reportData) int {
		return cmp.Or(cmp.Compare(distance(cwd, a.Dir), distance(cwd, b.Dir)), b.Started.Compare(a.Started))
	}
	slices.SortFunc(all, best)
	switch {
	case len(all) == 0:
		return nil, &protocol.Error{Code: protocol.CodeNotFound, Message: "no hr is running for " + module, Hint: "hr ps lists those that run elsewhere, --pid chooses one"}
	case sure && len(all) > 1 && (len(here) == 0 || distance(cwd, all[0].Dir) == distance(cwd, all[1].Dir)):
		return nil, &protocol.Error{Code: protocol.CodeUsage, Message: fmt.Sprintf("%d hrs are running that may be meant", len(all)), Hint: "hr ps lists them, --pid chooses one"}
	}
	return all[0], nil
}

// distance counts the steps from one directory to the other.
func distance(from, to string) int {
	rel, err := filepath.Rel(from, to)
	if err != nil || rel == "." {
		return 0
	}
	return strings.Count(filepath.ToSlash(rel), "/") + 1
}

func printReport(w io.Writer, d *reportData) {
	printable.Fprintf(w, "%s in %s, generation #%d\n", shellWords(d.command()), d.Dir, d.Generation)
	if d.Decided.IsZero() {
		fmt.Fprintln(w, "nothing was saved yet")
	} else {
		printable.Fprintf(w, "\nlast save, %s:\n", d.Decided.Format("15:04:05"))
	}
	for _, x := range d.Changes {
		printable.Fprintf(w, "  %s: %s: %s", paths.Short(d.Dir, x.Path), x.Verdict, x.Why)
		if x.Package != "" {
			printable.Fprintf(w, " (%s)", x.Package)
		}
		fmt.Fprintln(w)
	}
	if d.Failure != nil {
		printable.Fprintf(w, "\nit did not build:\n%s\n", printable.Block(d.Failure.Cause.Message))
		printOutcome(w, d.Failure.Outcome)
	} else {
		printOutcome(w, d.Outcome)
	}
	printStart(w, d)
	for _, in := range d.Restless {
		printable.Fprintf(w, "\n%s does not stand still: %d changes since %s", paths.Short(d.Dir, in.Path), in.Changes, in.Since.Format("15:04:05"))
		if in.Writer != "" {
			printable.Fprintf(w, ", written by %s", in.Writer)
		}
		printable.Fprintf(w, "; alone it restarts the program after a pause, now of %s\n", in.Pause)
	}
	if d.Ended != "" {
		printable.Fprintf(w, "\nthe program of #%d ended with %s\n", d.Generation, d.Ended)
	}
}

// command is the hr run of a report, as it could have been typed.
func (d *reportData) command() []string {
	words := []string{"hr", "run"}
	if d.Profile != "" && d.Profile != "auto" {
		words = append(words, "--profile="+d.Profile)
	}
	if d.Debug {
		words = append(words, "--debug")
	}
	return slices.Concat(words, d.Flags, d.Package)
}

// printStart tells of a start that failed, and what runs instead.
func printStart(w io.Writer, d *reportData) {
	if d.Start == nil {
		return
	}
	printable.Fprintf(w, "\n#%d failed to start: %s\n", d.Start.Generation, d.Start.Why)
	switch {
	case len(d.Start.Output) > 0:
		printable.Fprintf(w, "the last of its output:\n  %s\n", printable.Block(strings.Join(d.Start.Output, "\n  ")))
	default:
		fmt.Fprintln(w, "its output, if any, stands above the notice of hr")
	}
	if d.Generation > d.Start.Generation {
		printable.Fprintf(w, "the last good program runs again, as #%d\n", d.Generation)
	}
}

func printOutcome(w io.Writer, o *order.Outcome) {
	if o == nil {
		return
	}
	if len(o.Packages) > 0 {
		fmt.Fprintln(w, "\npackages:")
	}
	for _, p := range o.Packages {
		printable.Fprintf(w, "  %s: %s: %s", p.Path, p.Action, p.Why)
		if p.Took > 0 {
			printable.Fprintf(w, ", %s", event.Duration(p.Took))
		}
		fmt.Fprintln(w)
	}
	switch {
	case o.Fallback != "":
		printable.Fprintf(w, "\ngo build did the work: %s\n", o.Fallback)
	case o.Linker != "":
		printable.Fprintf(w, "\nlinked by the %s linker (%s) in %s\n", o.Linker, o.LinkMode, event.Duration(o.Phases.Link))
	case o.Artifact.Path != "":
		fmt.Fprintln(w, "\nno link: the program was known")
	}
	if o.Refused != "" {
		printable.Fprintf(w, "the incremental linker left it to the toolchain's: %s\n", o.Refused)
	}
}

// snapshotOf asks the daemon of a running hr, else makes one from the words of
// its command line.
func snapshotOf(ctx context.Context, d *reportData) (*graph.Snapshot, error) {
	if d.Session != "" {
		if snap, err := sessionSnapshot(ctx, d.Session); err == nil && snap.Dir == d.Dir {
			return snap, nil
		}
	}
	b, _, err := connect(ctx, true)
	if err != nil {
		return nil, err
	}
	defer b.close()
	job := order.Job{Dir: d.Dir, Env: os.Environ(), Flags: d.Flags, Profile: d.Profile, Debug: d.Debug, Package: d.Package, Linker: d.Linker}
	var snap *graph.Snapshot
	handler := protocol.Handler{Snapshot: func(s *graph.Snapshot) { snap = s }}
	session, reply, err := b.client.Open(ctx, job, handler)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	go session.Rest(protocol.Handler{})
	// A build without a program in hand is sent the snapshot with its reply.
	if _, err = session.Build(ctx, protocol.BuildRequest{Seq: reply.Seq + 1}, handler); err != nil {
		return nil, err
	}
	return snap, nil
}

func sessionSnapshot(ctx context.Context, session string) (*graph.Snapshot, error) {
	dir, err := protocol.RunDir()
	if err != nil {
		return nil, err
	}
	client := protocol.NewClient(func(ctx context.Context) (net.Conn, error) { return protocol.Dial(ctx, dir) })
	defer client.Close()
	return client.Snapshot(ctx, session)
}
