package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/printable"
	"github.com/hotreflex/hr/internal/protocol"
	"github.com/hotreflex/hr/internal/screen"
	"github.com/hotreflex/hr/tags"
)

// Exit codes. They never change meaning: scripts branch on them.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitBuild       = 3 // the user's code does not build
	exitInterrupted = 130
)

// verb is one word that may follow hr.
type verb struct {
	name  string
	args  string // for the usage line
	short string
	run   func(c *command, args []string) int
}

// command is one run of hr: its streams and how it speaks.
type command struct {
	stdin          *os.File
	stdout, stderr *os.File
	screen         *screen.Screen
}

func verbs() []verb {
	return []verb{
		{"run", "[go build flags] [package [args] | -- args]", "run a program and keep it true to its source", runVerb},
		{"reflex", "[reflex flags] [--] command", "run commands when files change, in the words of reflex", reflexVerb},
		{"init", "[file]", "print the hr command for a reflex.conf or an .air.toml", initVerb},
		{"restart", "", "start the program of the running hr again, without a build", restartVerb},
		{"stop", "", "end the running hr and its program", stopVerb},
		{"ps", "", "list the running hrs", psVerb},
		{"why", "[file]", "explain the last decision of the running hr, or what a file means to it", whyVerb},
		{"version", "", "print the version", versionVerb},
	}
}

// run is hr without a process: it returns the exit code.
func run(args []string, stdin, stdout, stderr *os.File) int {
	c := &command{stdin: stdin, stdout: stdout, stderr: stderr, screen: screen.New(stderr, hasFlag(args, "json"))}
	if len(args) == 0 {
		usage(stderr)
		return exitUsage
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		if len(args) > 1 {
			if v, ok := findVerb(args[1]); ok {
				return v.run(c, []string{"--help"})
			}
			return c.unknownVerb(args[1:])
		}
		usage(stdout)
		return exitOK
	case "-version", "--version":
		args[0] = "version"
	}
	v, ok := findVerb(args[0])
	if !ok {
		return c.unknownVerb(args)
	}
	return v.run(c, args[1:])
}

func (c *command) unknownVerb(args []string) int {
	var names []string
	for _, v := range verbs() {
		names = append(names, v.name)
	}
	e := &protocol.Error{Code: protocol.CodeUsage, Message: "unknown verb " + args[0], Hint: "hr help lists the verbs"}
	if strings.HasPrefix(args[0], "-") || strings.HasPrefix(args[0], ".") || strings.HasPrefix(args[0], "/") {
		e.Hint = "hr run " + strings.Join(args, " ")
	} else if near, ok := tags.Suggest(args[0], names); ok {
		e.Hint = "did you mean hr " + near + "?"
	}
	return c.fail(e)
}

func findVerb(name string) (verb, bool) {
	for _, v := range verbs() {
		if v.name == name {
			return v, true
		}
	}
	return verb{}, false
}

func usage(w io.Writer) {
	fmt.Fprint(w, "hr runs a Go program and, on each save, rebuilds the least that makes it right.\n\nusage:\n")
	for _, v := range verbs() {
		fmt.Fprintf(w, "  hr %-8s %-38s %s\n", v.name, v.args, v.short)
	}
	fmt.Fprint(w, "\nhr help VERB shows its flags. hrd is the daemon behind it: hrd help.\n")
}

// parse reads the flags of a verb in the go command's form. ok is false if the
// verb is over: help was asked for or the words make no sense.
func (c *command) parse(fs *pflag.FlagSet, v string, args []string) (code int, ok bool) {
	return c.parseWords(fs, v, "-", longFlags(fs, args))
}

// parseWords is parse for flags as they are; dash is what stands before a long
// one.
func (c *command) parseWords(fs *pflag.FlagSet, v, dash string, args []string) (code int, ok bool) {
	fs.SortFlags = false
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	err := fs.Parse(args)
	switch {
	case err == nil:
		if f := fs.Lookup("json"); f != nil && f.Value.String() != "true" {
			c.screen = screen.New(c.stderr, false) // hasFlag saw a word of the program
		}
		return 0, true
	case errors.Is(err, pflag.ErrHelp):
		x, _ := findVerb(v)
		fmt.Fprintf(c.stdout, "usage: %s\n\n%s.\n\n%s", strings.TrimSpace("hr "+x.name+" "+x.args), upper(x.short), fs.FlagUsages())
		return exitOK, false
	}
	e := &protocol.Error{Code: protocol.CodeUsage, Message: printable.FirstLine(err.Error()), Hint: "hr help " + v + " lists the flags"}
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		name := unknown.GetSpecifiedName()
		if len(name) == 1 {
			dash = "-"
		}
		e.Message = "unknown flag " + dash + name
		var names []string
		fs.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near, ok := tags.Suggest(name, names); ok {
			e.Hint = "did you mean " + dash + near + "?"
		}
	}
	return c.fail(e), false
}

// longFlags gives flags in the go command's one-dash form, as in -tags=dev, the
// second dash that pflag wants. Words after the first that is no flag stay.
func longFlags(fs *pflag.FlagSet, args []string) []string {
	out := make([]string, 0, len(args))
	for i := 0; i < len(args); i++ {
		a := args[i]
		if a == "--" || !strings.HasPrefix(a, "-") || a == "-" {
			return append(out, args[i:]...)
		}
		name, _, hasValue := strings.Cut(strings.TrimLeft(a, "-"), "=")
		f := fs.Lookup(name)
		if f == nil && len(name) == 1 {
			f = fs.ShorthandLookup(name)
		}
		if !strings.HasPrefix(a, "--") && (len(name) > 1 || fs.Lookup(name) != nil) {
			a = "-" + a
		}
		out = append(out, a)
		// The value of a flag may stand in the next word.
		if f != nil && !hasValue && f.NoOptDefVal == "" && i+1 < len(args) {
			i++
			out = append(out, args[i])
		}
	}
	return out
}

// hasFlag looks for a bool flag before anything is parsed, so that even usage
// errors are said in the form that was asked for.
func hasFlag(args []string, name string) bool {
	for _, a := range args {
		switch a {
		case "--":
			return false
		case "-" + name, "--" + name, "-" + name + "=true", "--" + name + "=true":
			return true
		}
	}
	return false
}

// fail shows an error in its one place and returns the exit code.
func (c *command) fail(err error) int {
	e := protocol.AsError(err)
	c.screen.Tell(event.Error{Error: e})
	switch e.Code {
	case protocol.CodeUsage:
		return exitUsage
	case protocol.CodeBuild:
		return exitBuild
	case protocol.CodeCanceled:
		return exitInterrupted
	}
	return exitFailed
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
