package astcheck

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// sourceMax is the longest part of a source line that an error carries: wider
// than any terminal, small in a message even if the file is one line.
const sourceMax = 400

// SyntaxError is the first reason why a file does not parse, ready for the
// screen. File, Line and Col heed //line directives, as the compiler's errors
// do; Col counts bytes from 1 and is 0 where a //line directive hides it.
type SyntaxError struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Col  int    `json:"col"`
	Msg  string `json:"msg"`
	// Source is the line of the file itself where the error is, cut if very
	// long, and Caret the offset in it of the error. An error at the end of the
	// file has the last line that is not blank.
	Source string `json:"source,omitempty"`
	Caret  int    `json:"caret,omitempty"`
	// More counts the further errors that the parser saw.
	More int `json:"more,omitempty"`
}

// Error returns the one-line form, as in "main.go:3:7: expected ';', found x".
func (e *SyntaxError) Error() string {
	if e.Col == 0 {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Msg)
}

// Excerpt returns the source line and, below it, a caret under the error; two
// lines without a newline at the end, or "" if the line is blank.
func (e *SyntaxError) Excerpt() string {
	if strings.TrimSpace(e.Source) == "" {
		return ""
	}
	// A tab stays a tab, so the caret stands right at any tab width.
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, e.Source[:e.Caret])
	return e.Source + "\n" + pad + "^"
}

// at fills in the source line around an offset.
func (e *SyntaxError) at(src []byte, offset int) {
	offset = min(max(offset, 0), len(src))
	if text := len(bytes.TrimRight(src, " \t\r\n")); offset >= text {
		offset = text
	}
	start := bytes.LastIndexByte(src[:offset], '\n') + 1
	end := len(src)
	if n := bytes.IndexByte(src[offset:], '\n'); n >= 0 {
		end = offset + n
	}
	if offset-start > sourceMax/2 {
		start = offset - sourceMax/2
		for start < offset && !utf8.RuneStart(src[start]) {
			start++
		}
	}
	end = min(end, start+sourceMax)
	before := clean(src[start:offset])
	e.Source = before + clean(src[offset:end])
	e.Caret = len(before)
}

// clean makes bytes of a file fit for a terminal and for JSON.
func clean(b []byte) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return -1
		case r < ' ' && r != '\t', r == 0x7F:
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(string(b), string(utf8.RuneError)))
}
