package reflex

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/kballard/go-shellquote"
	"github.com/spf13/pflag"

	"github.com/hotreflex/hr/internal/printable"
)

// ReadConfig reads the lines of a config file; name is its name for people.
//
//	file    = { blank | comment | entry }
//	comment = a line whose first character, after white space, is #
//	entry   = words, split as a shell would without any expansion: a last \ is
//	          dropped, and the next line belongs to the entry, as it does to an
//	          open quotation
//	words   = the flags of Line, an optional --, and the command
//
// Entries share nothing. An error names the line where the entry begins.
func ReadConfig(r io.Reader, name string) ([]Line, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // editors on Windows write a byte order mark
	text := strings.Split(string(data), "\n")
	var lines []Line
	for i := 0; i < len(text); i++ {
		if trimmed := strings.TrimSpace(text[i]); trimmed == "" || trimmed[0] == '#' {
			continue
		}
		begin := i
		words, last, err := splitEntry(text, i)
		i = last
		var l Line
		if err == nil {
			l, err = parseEntry(words)
		}
		if err == nil {
			err = l.Check()
		}
		if err != nil {
			return nil, fmt.Errorf("error on line %d of %s: %s", begin+1, name, printable.FirstLine(err.Error()))
		}
		l.Source = fmt.Sprintf("%s, line %d", name, begin+1)
		lines = append(lines, l)
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("%s has no entry", name)
	}
	return lines, nil
}

// splitEntry returns the words of the entry that begins at text[i], and the
// index of its last line.
func splitEntry(text []string, i int) ([]string, int, error) {
	entry := strings.TrimSuffix(text[i], "\r")
	for {
		words, err := shellquote.Split(entry)
		if err == nil {
			return words, i, nil
		}
		if errors.Is(err, shellquote.UnterminatedEscapeError) {
			entry = entry[:len(entry)-1]
		}
		if i++; i == len(text) {
			return nil, i, err
		}
		entry += "\n" + strings.TrimSuffix(text[i], "\r")
	}
}

func parseEntry(words []string) (Line, error) {
	var l Line
	fs := pflag.NewFlagSet("entry", pflag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	l.Define(fs)
	if err := fs.Parse(words); err != nil {
		return l, err
	}
	l.Command = fs.Args()
	return l, nil
}
