// Package reflex is the dialect of github.com/cespare/reflex: its flags, the
// grammar of its config files, and which paths they select.
//
// It is pure: it watches nothing, runs nothing and prints nothing. Facts are
// those of reflex v0.3.1; what is different on purpose is listed in
// docs/coming-from.md and held by the conformance table in this package's
// tests. The front end calls it. A Matcher may be used by many goroutines.
package reflex

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// Line is one watch with its command: a command line of reflex, or one entry
// of its config file.
type Line struct {
	Source string // where it was written, for people

	Regexes, InverseRegexes []string
	Globs, InverseGlobs     []string
	All                     bool // no default excludes
	OnlyFiles, OnlyDirs     bool

	Substitute      string        // stands for the path in Command
	Service         bool          // the command runs on and is restarted
	ShutdownTimeout time.Duration // of each step of stopping it
	Command         []string
}

// Define adds the flags that both a command line and a config file may have.
func (l *Line) Define(fs *pflag.FlagSet) {
	fs.StringArrayVarP(&l.Regexes, "regex", "r", nil, "a regular expression that paths must match; may be repeated")
	fs.StringArrayVarP(&l.InverseRegexes, "inverse-regex", "R", nil, "a regular expression that paths must not match; may be repeated")
	fs.StringArrayVarP(&l.Globs, "glob", "g", nil, "a glob that paths must match, ** for any directories; may be repeated")
	fs.StringArrayVarP(&l.InverseGlobs, "inverse-glob", "G", nil, "a glob that paths must not match; may be repeated")
	fs.StringVar(&l.Substitute, "substitute", "{}", "what stands for the path in the command")
	fs.BoolVarP(&l.Service, "start-service", "s", false, "the command runs on; restart it on changes")
	fs.DurationVarP(&l.ShutdownTimeout, "shutdown-timeout", "t", 500*time.Millisecond, "from each signal to a service to the next")
	fs.BoolVar(&l.OnlyFiles, "only-files", false, "only files, not directories")
	fs.BoolVar(&l.OnlyDirs, "only-dirs", false, "only directories, not files")
	fs.BoolVar(&l.All, "all", false, "also what version control and editors leave behind")
}

// Global holds the flags that a command line alone may have.
type Global struct {
	Config     string // "-" is standard input
	Sequential bool
	Decoration string
	Verbose    bool
}

// Define adds the global flags.
func (g *Global) Define(fs *pflag.FlagSet) {
	fs.StringVarP(&g.Config, "config", "c", "", "a file of such command lines, or - for standard input")
	fs.BoolVarP(&g.Verbose, "verbose", "v", false, "print what was understood and what causes each run")
	fs.BoolVarP(&g.Sequential, "sequential", "e", false, "never run two commands of the file at once")
	fs.StringVarP(&g.Decoration, "decoration", "d", "plain", "mark each line of output: none, plain or fancy")
}

// withConfig are the flags that --config tolerates.
var withConfig = map[string]bool{"config": true, "verbose": true, "sequential": true, "decoration": true}

// Check refuses flags that make no sense together. fs is parsed; own are the
// names of further flags that say nothing about a Line.
func (g *Global) Check(fs *pflag.FlagSet, own ...string) error {
	if _, err := ParseDecoration(g.Decoration); err != nil {
		return err
	}
	if g.Config == "" {
		if g.Sequential {
			return errors.New("--sequential without --config: there is only one command")
		}
		return nil
	}
	allowed := map[string]bool{}
	for _, name := range own {
		allowed[name] = true
	}
	var err error
	fs.Visit(func(f *pflag.Flag) {
		if !withConfig[f.Name] && !allowed[f.Name] && err == nil {
			err = fmt.Errorf("--%s together with --config: it belongs into the lines of %s", f.Name, g.Config)
		}
	})
	if err == nil && fs.NArg() > 0 {
		err = fmt.Errorf("a command (%s) together with --config: it belongs into a line of %s", fs.Arg(0), g.Config)
	}
	return err
}

// Check refuses a line that cannot be run.
func (l *Line) Check() error {
	switch {
	case len(l.Command) == 0:
		return errors.New("there is no command to run")
	case l.Substitute == "":
		return errors.New("the substitution symbol is empty")
	case l.PerFile() && l.Service:
		return fmt.Errorf("a service runs once for all files: --start-service does not go with %s in the command", l.Substitute)
	case l.OnlyFiles && l.OnlyDirs:
		return errors.New("--only-files and --only-dirs together select nothing")
	case l.ShutdownTimeout <= 0:
		return errors.New("the shutdown timeout is not above zero")
	}
	return nil
}

// PerFile says whether the command runs once for each path.
func (l *Line) PerFile() bool {
	for _, word := range l.Command {
		if strings.Contains(word, l.Substitute) {
			return true
		}
	}
	return false
}

// Words returns the command for path.
func (l *Line) Words(path string) []string {
	words := make([]string, len(l.Command))
	for i, word := range l.Command {
		words[i] = strings.ReplaceAll(word, l.Substitute, path)
	}
	return words
}

// String tells what was understood, as --verbose prints it.
func (l *Line) String() string {
	var b strings.Builder
	list := func(title string, patterns []string) {
		for _, p := range patterns {
			fmt.Fprintf(&b, "\n  %s %q", title, p)
		}
	}
	fmt.Fprintf(&b, "%s:", l.Source)
	list("regex", l.Regexes)
	list("not regex", l.InverseRegexes)
	list("glob", l.Globs)
	list("not glob", l.InverseGlobs)
	switch {
	case l.OnlyFiles:
		b.WriteString("\n  only files")
	case l.OnlyDirs:
		b.WriteString("\n  only directories")
	}
	if l.All {
		b.WriteString("\n  without the default excludes")
	}
	kind := "command"
	if l.Service {
		kind = "service"
	} else if l.PerFile() {
		kind = "command for each path"
	}
	fmt.Fprintf(&b, "\n  %s %q", kind, l.Words("<path>"))
	return b.String()
}
