package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"github.com/hotreflex/hr/internal/printable"
	"github.com/hotreflex/hr/internal/protocol"
)

// psTime is for an answer of a loop that is never busy for long; one that is
// about to end does not answer at all.
const psTime = time.Second

// psLine is one running hr.
type psLine struct {
	Pid        int       `json:"pid"`
	Program    int       `json:"program"` // its process id, 0 without one
	Generation int       `json:"generation"`
	State      string    `json:"state"`    // starting, building, running, ended or unknown
	Building   bool      `json:"building"` // a build is under way, beside the program
	Handover   string    `json:"handover,omitempty"`
	Started    time.Time `json:"started"`
	Dir        string    `json:"dir"`
	Package    []string  `json:"package"`
	Flags      []string  `json:"flags"`
}

// psVerb is hr ps: the running hrs of this user.
func psVerb(c *command, args []string) int {
	fs := pflag.NewFlagSet("ps", pflag.ContinueOnError)
	asJSON := fs.Bool("json", false, "print one JSON object a line")
	pid := fs.Int("pid", 0, "only the hr with this process id")
	if code, ok := c.parse(fs, "ps", args); !ok {
		return code
	}
	if fs.NArg() > 0 {
		return c.fail(&protocol.Error{Code: protocol.CodeUsage, Message: "hr ps takes no " + fs.Arg(0), Hint: "hr help ps lists the flags"})
	}
	dir, err := sessionsDir()
	if err != nil {
		return c.fail(err)
	}
	all, err := readReports(dir)
	if err != nil {
		return c.fail(err)
	}
	if *pid != 0 {
		all = slices.DeleteFunc(all, func(d *reportData) bool { return d.Pid != *pid })
		if len(all) == 0 {
			return c.fail(&protocol.Error{Code: protocol.CodeNotFound, Message: fmt.Sprintf("no hr with process id %d is running", *pid), Hint: "hr ps lists those that run"})
		}
	}
	slices.SortFunc(all, func(a, b *reportData) int { return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.Pid, b.Pid)) })
	lines := make([]psLine, len(all))
	var wg sync.WaitGroup // those that do not answer are waited for together
	for i, d := range all {
		wg.Go(func() { lines[i] = psOf(d) })
	}
	wg.Wait()
	if *asJSON {
		enc := json.NewEncoder(c.stdout)
		for _, l := range lines {
			enc.Encode(l)
		}
		return exitOK
	}
	printPs(c.stdout, lines)
	return exitOK
}

func printPs(to io.Writer, lines []psLine) {
	w := tabwriter.NewWriter(to, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "PID\tPROGRAM\tSTATE\tFOR\tDIRECTORY\tPROGRAM OF")
	for _, l := range lines {
		program := "-"
		if l.Program != 0 {
			program = fmt.Sprintf("%d (#%d)", l.Program, l.Generation)
		}
		printable.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", l.Pid, program, l.State,
			time.Since(l.Started).Round(time.Second), l.Dir, cmp.Or(strings.Join(l.Package, " "), "."))
	}
	w.Flush()
}

// psOf asks a running hr; its report tells less, and may be behind.
func psOf(d *reportData) psLine {
	l := psLine{Pid: d.Pid, Generation: d.Generation, Program: d.ChildPid, State: "unknown",
		Started: d.Started, Dir: d.Dir, Package: d.Package, Flags: d.Flags}
	ctx, cancel := context.WithTimeout(context.Background(), psTime)
	defer cancel()
	if a, err := askHR(ctx, d, "status"); err == nil && a.Error == "" {
		l.Program, l.Generation, l.State, l.Building, l.Handover = a.Pid, a.Generation, a.State, a.Building, a.Handover
	}
	return l
}
