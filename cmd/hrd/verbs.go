package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"

	"github.com/hotreflex/hr/internal/printable"
	"github.com/hotreflex/hr/internal/protocol"
	"github.com/hotreflex/hr/tags"
)

// Exit codes, the same as hr's.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// verb is one word that may follow hrd.
type verb struct {
	name  string
	short string
	run   func(c *command, args []string) int
}

// command is one run of hrd.
type command struct {
	stdout, stderr *os.File
	json           bool
}

func verbs() []verb {
	return []verb{
		{"start", "start the daemon in the background, ready when it returns", startVerb},
		{"serve", "be the daemon, in the foreground", serveVerb},
		{"stop", "let the daemon end when its sessions have", stopVerb},
		{"status", "show what the daemon holds and has done", statusVerb},
		{"logs", "print the daemon's log", logsVerb},
		{"version", "print the version", versionVerb},
	}
}

func run(args []string, stdout, stderr *os.File) int {
	c := &command{stdout: stdout, stderr: stderr}
	if len(args) == 0 {
		usage(stderr)
		return exitUsage
	}
	if args[0] == "help" || args[0] == "-h" || args[0] == "-help" || args[0] == "--help" {
		usage(stdout)
		return exitOK
	}
	var names []string
	for _, v := range verbs() {
		if v.name == args[0] {
			return v.run(c, args[1:])
		}
		names = append(names, v.name)
	}
	e := &protocol.Error{Code: protocol.CodeUsage, Message: "unknown verb " + args[0], Hint: "hrd help lists the verbs"}
	if near, ok := tags.Suggest(args[0], names); ok {
		e.Hint = "did you mean hrd " + near + "?"
	}
	return c.fail(e)
}

func usage(w io.Writer) {
	fmt.Fprint(w, "hrd is the daemon behind hr. hr starts it by itself.\n\nusage:\n")
	for _, v := range verbs() {
		fmt.Fprintf(w, "  hrd %-8s %s\n", v.name, v.short)
	}
}

// parse reads the flags of a verb; every verb has --json and takes no words.
func (c *command) parse(fs *pflag.FlagSet, args []string) (code int, ok bool) {
	fs.BoolVar(&c.json, "json", false, "print JSON")
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	err := fs.Parse(args)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		fmt.Fprintf(c.stdout, "usage: hrd %s\n\n%s", fs.Name(), fs.FlagUsages())
		return exitOK, false
	case err != nil:
		return c.fail(&protocol.Error{Code: protocol.CodeUsage, Message: printable.FirstLine(err.Error()), Hint: "hrd " + fs.Name() + " --help lists the flags"}), false
	case fs.NArg() > 0:
		return c.fail(&protocol.Error{Code: protocol.CodeUsage, Message: "hrd " + fs.Name() + " takes no words, not " + fs.Arg(0), Hint: "hrd help lists the verbs"}), false
	}
	return 0, true
}

// fail shows an error in its one place.
func (c *command) fail(err error) int {
	e := protocol.AsError(err)
	if c.json {
		json.NewEncoder(c.stderr).Encode(e)
	} else {
		printable.Fprintf(c.stderr, "hrd: %s\n", e.Message)
		if e.Hint != "" {
			printable.Fprintf(c.stderr, "hint: %s\n", e.Hint)
		}
	}
	if e.Code == protocol.CodeUsage {
		return exitUsage
	}
	return exitFailed
}

// tell prints a line, or the value as JSON.
func (c *command) tell(v any, format string, args ...any) {
	if c.json {
		json.NewEncoder(c.stdout).Encode(v)
		return
	}
	printable.Fprintf(c.stdout, format+"\n", args...)
}

func versionVerb(c *command, args []string) int {
	if code, ok := c.parse(pflag.NewFlagSet("version", pflag.ContinueOnError), args); !ok {
		return code
	}
	c.tell(map[string]string{"version": protocol.Version(), "buildID": protocol.BuildID()}, "hrd %s", protocol.Version())
	return exitOK
}
