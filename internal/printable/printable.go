// Package printable makes text of others safe to show: file names, compiler
// output and settings may hold control sequences that a terminal would obey.
package printable

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxQuoted bounds what FirstLine keeps. Longer than any line that a person
// reads, short enough for a screen.
const maxQuoted = 200

// Block marks an argument of Sprintf as text of several lines.
type Block string

// Line returns s as one line: what is not printable, line breaks included,
// stands there as an escape, as in \x1b, \n and \u202e. Text that is harmless
// comes back unchanged.
func Line(s string) string { return escape(s, false) }

// Text keeps line breaks and tabs, too: the layout of what a compiler said.
func Text(s string) string { return escape(s, true) }

// FirstLine returns the first line of text that quotes its input, raw or with
// %q, so that one line of the input is shown at most.
func FirstLine(s string) string {
	first := s
	for _, end := range []string{"\n", "\r", `\n`, `\r`} {
		first, _, _ = strings.Cut(first, end)
	}
	if len(first) > maxQuoted {
		cut := maxQuoted
		for cut > 0 && !utf8.RuneStart(first[cut]) {
			cut--
		}
		first = first[:cut]
	}
	if first != s {
		first += "…"
	}
	return Line(first)
}

// Sprintf is fmt.Sprintf for a format of ours and arguments of others: each
// argument that is text, or prints as text, is made one line; a Block keeps its
// lines.
func Sprintf(format string, args ...any) string {
	safe := make([]any, len(args))
	for i, a := range args {
		safe[i] = arg(a)
	}
	return fmt.Sprintf(format, safe...)
}

// Fprintf writes what Sprintf returns.
func Fprintf(w io.Writer, format string, args ...any) (int, error) {
	return io.WriteString(w, Sprintf(format, args...))
}

func arg(a any) any {
	switch a := a.(type) {
	case nil:
		return nil
	case Block:
		return Text(string(a))
	case []byte:
		return Text(string(a)) // a stack, or what a tool said
	case string:
		return Line(a)
	case error:
		return Line(a.Error())
	case fmt.Stringer:
		return Line(a.String())
	case []string:
		lines := make([]string, len(a))
		for i, s := range a {
			lines[i] = Line(s)
		}
		return lines
	}
	if v := reflect.ValueOf(a); v.Kind() == reflect.String {
		return Line(v.String())
	}
	return a // a number or a truth value
}

func escape(s string, layout bool) string {
	clean := 0
	for clean < len(s) {
		r, n := utf8.DecodeRuneInString(s[clean:])
		if !keep(r, n, layout) {
			break
		}
		clean += n
	}
	if clean == len(s) {
		return s
	}
	var b strings.Builder
	b.WriteString(s[:clean])
	for i := clean; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case keep(r, n, layout):
			b.WriteString(s[i : i+n])
		case layout && r == '\r' && strings.HasPrefix(s[i+n:], "\n"): // a line that ends as Windows ends them
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		i += n
	}
	return b.String()
}

// keep reports whether a rune of n bytes may go to a terminal as it is. What
// unicode calls printable does; of the rest spaces of other scripts do, and the
// two joiners that Persian, Indic scripts and emoji are spelled with. The C0
// and C1 controls do not, nor do marks that turn the direction of text, nor do
// code points without a meaning.
func keep(r rune, n int, layout bool) bool {
	switch {
	case r == utf8.RuneError && n == 1:
		return false
	case r == '\n' || r == '\t':
		return layout
	case r == '\u200c' || r == '\u200d':
		return true
	}
	return unicode.IsPrint(r) || unicode.Is(unicode.Zs, r)
}
