package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/pflag"

	"github.com/hotreflex/hr/internal/printable"
	"github.com/hotreflex/hr/internal/protocol"
	"github.com/hotreflex/hr/internal/reflex"
)

// conversion is what another tool's config means to hr.
type conversion struct {
	Source  string   `json:"source"`            // the file it was read from
	Command []string `json:"command"`           // the same in hr's words
	Config  string   `json:"config,omitempty"`  // a reflex.conf, where a command does not do
	Notes   []note   `json:"notes,omitempty"`   // what was left out, or became something else
	Written string   `json:"written,omitempty"` // by --write
}

// note tells of one setting.
type note struct {
	Setting string `json:"setting"`
	Why     string `json:"why"`
}

func (cv *conversion) note(setting, why string, args ...any) {
	cv.Notes = append(cv.Notes, note{setting, fmt.Sprintf(why, args...)})
}

type initFile struct {
	name string
	read func(dir, name string) (*conversion, error)
}

// initFiles are what hr init looks for, and who reads it.
var initFiles = []initFile{
	{"reflex.conf", fromReflex},
	{".reflex.conf", fromReflex},
	{".air.toml", fromAir},
	{".config/air.toml", fromAir},
}

// initVerb is hr init: reads another tool's config and says how hr is told the
// same. It writes nothing unless asked to.
func initVerb(c *command, args []string) int {
	fs := pflag.NewFlagSet("init", pflag.ContinueOnError)
	asJSON := fs.Bool("json", false, "print it as JSON")
	write := fs.Bool("write", false, "write a reflex.conf with what was found in .air.toml")
	if code, ok := c.parse(fs, "init", args); !ok {
		return code
	}
	if fs.NArg() > 1 {
		return c.fail(&protocol.Error{Code: protocol.CodeUsage, Message: "hr init takes one file", Hint: "hr init .air.toml"})
	}
	dir, err := os.Getwd()
	if err != nil {
		return c.fail(fmt.Errorf("find the current directory: %w", err))
	}
	found, err := convert(dir, fs.Arg(0))
	if err != nil {
		return c.fail(err)
	}
	if *write {
		if err := writeConfig(dir, found); err != nil {
			return c.fail(err)
		}
	}
	if *asJSON {
		json.NewEncoder(c.stdout).Encode(found)
		return exitOK
	}
	for i, cv := range found {
		if i > 0 {
			fmt.Fprintln(c.stdout)
		}
		cv.print(c.stdout)
	}
	return exitOK
}

// convert reads the named file, or every one that there is. A file may have any
// name: air's are TOML, reflex's are not.
func convert(dir, name string) ([]*conversion, error) {
	files := initFiles
	switch {
	case name == "":
	case filepath.Ext(name) == ".toml":
		files = []initFile{{name, fromAir}}
	default:
		files = []initFile{{name, fromReflex}}
	}
	var found []*conversion
	for _, f := range files {
		cv, err := f.read(dir, f.name)
		switch {
		case errors.Is(err, fs.ErrNotExist) && name == "":
			continue
		case errors.Is(err, fs.ErrNotExist):
			return nil, &protocol.Error{Code: protocol.CodeNotFound, Message: name + " does not exist", Hint: "hr init without a name looks for reflex.conf and .air.toml"}
		case errors.Is(err, fs.ErrPermission):
			return nil, err
		case err != nil:
			return nil, &protocol.Error{Code: protocol.CodeUsage, Message: err.Error(), Hint: "the tool that it is for says the same; mend it and try again"}
		}
		cv.Source = f.name
		found = append(found, cv)
	}
	if len(found) == 0 {
		return nil, &protocol.Error{
			Code: protocol.CodeNotFound, Message: "there is no reflex.conf and no .air.toml in " + dir,
			Hint: "hr needs no config: hr run ./cmd/app",
		}
	}
	return found, nil
}

// writeConfig writes what hr reflex -c takes, and never over a file.
func writeConfig(dir string, found []*conversion) error {
	for _, cv := range found {
		if !strings.HasSuffix(cv.Source, ".toml") {
			continue // hr reads it as it is
		}
		text := cv.Config
		if text == "" {
			text = "# from " + printable.Line(cv.Source) + "\n" + serviceOf(cv.Command) + "\n"
		}
		path := filepath.Join(dir, "reflex.conf")
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) {
			return &protocol.Error{Code: protocol.CodeUsage, Message: "reflex.conf exists: it is not written over", Hint: "hr reflex -c reflex.conf runs it; move it away to have another"}
		}
		if err != nil {
			return fmt.Errorf("write the config: %w", err)
		}
		_, err = f.WriteString(text)
		if err := errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("write the config: %w", err)
		}
		cv.Written = "reflex.conf"
	}
	return nil
}

// serviceOf is an entry that keeps a command running; no path is empty, so no
// change restarts it.
func serviceOf(command []string) string { return "-s -r '^$' -- " + shellWords(command) }

// shellWords writes words so that a shell, and a reflex.conf, read them back.
func shellWords(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = w
		if !plainWord.MatchString(w) {
			quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

func (cv *conversion) print(w io.Writer) {
	printable.Fprintf(w, "%s means:\n\n", cv.Source)
	if len(cv.Command) > 0 {
		printable.Fprintf(w, "  %s\n", shellWords(cv.Command))
	}
	if cv.Config != "" {
		printable.Fprintf(w, "\nwith this reflex.conf:\n\n")
		for line := range strings.Lines(cv.Config) {
			printable.Fprintf(w, "  %s\n", strings.TrimSuffix(line, "\n"))
		}
	}
	if len(cv.Notes) > 0 {
		printable.Fprintf(w, "\nnot taken over as it is:\n\n")
	}
	for _, n := range cv.Notes {
		printable.Fprintf(w, "  %s: %s\n", n.Setting, n.Why)
	}
	switch {
	case cv.Written != "":
		printable.Fprintf(w, "\nwritten: %s\n", cv.Written)
	case cv.Config != "":
		printable.Fprintf(w, "\nhr init --write writes it\n")
	}
}

// fromReflex reads a reflex.conf, which hr runs as it is.
func fromReflex(dir, name string) (*conversion, error) {
	f, err := os.Open(within(dir, name))
	if err != nil {
		return nil, fmt.Errorf("read the config: %w", err)
	}
	defer f.Close()
	lines, err := reflex.ReadConfig(f, name)
	if err != nil {
		return nil, err
	}
	cv := &conversion{Command: []string{"hr", "reflex", "-c", name}}
	for i := range lines {
		l := &lines[i]
		if _, err := reflex.NewMatcher(l); err != nil {
			return nil, fmt.Errorf("%s: %s", l.Source, printable.FirstLine(err.Error()))
		}
		if p := findGoProgram(dir, l); p != nil && l.Service {
			cv.note(l.Source, "a Go program: its line is run as %s, which knows the files of the build; --literal runs it as it is written",
				shellWords(p.typed()))
			if len(lines) == 1 {
				cv.Command = p.typed()
			}
			continue
		} else if p != nil {
			cv.note(l.Source, "a Go program that runs once for each change stays as it is; with -s in front it would be kept running and rebuilt")
		}
		for _, g := range append(append([]string{}, l.Globs...), l.InverseGlobs...) {
			if strings.Contains(g, "**") {
				cv.note(l.Source, "%s: ** stands for any number of directories here, for part of one name in reflex", g)
			}
		}
	}
	return cv, nil
}

// typed is the program as a user would start it.
func (p *goProgram) typed() []string {
	words := append([]string{}, p.Env...)
	if len(words) > 0 {
		words = append([]string{"env"}, words...)
	}
	return append(append(words, "hr", "run"), p.words()...)
}

func within(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}
