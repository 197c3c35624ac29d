package astcheck

import (
	"bytes"
	"errors"
	"fmt"
	"go/build/constraint"
	"strings"
)

// errConstraint is a constraint for which the go command refuses the file.
type errConstraint struct {
	line int // 1-based
	err  error
}

func (e *errConstraint) Error() string { return e.err.Error() }

var errTwice = errors.New("multiple //go:build comments")

// fileConstraint returns the constraint of a Go file as go/build reads it: the
// one //go:build line above the package clause, or else all // +build lines
// that a blank line separates from it. Which lines count is told by
// go/build, shouldBuild; the code there is the only full description.
func fileConstraint(src []byte) (string, error) {
	src = bytes.TrimPrefix(src, bom)
	var expr constraint.Expr // of the //go:build line
	var plus, pending []constraint.Expr
	lines := true // only // comments and blank lines so far
	block := false
	for n := 1; len(src) > 0; n++ {
		line, rest, _ := bytes.Cut(src, []byte("\n"))
		src = rest
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			if lines {
				// A blank line below them makes the // +build lines count.
				plus = append(plus, pending...)
				pending = nil
			}
			continue
		}
		isComment := bytes.HasPrefix(line, []byte("//"))
		if !isComment {
			lines = false
		}
		if isComment && !block {
			text := string(line)
			switch {
			case constraint.IsGoBuild(text):
				if expr != nil {
					return "", &errConstraint{n, errTwice}
				}
				x, err := constraint.Parse(text)
				if err != nil {
					return "", &errConstraint{n, fmt.Errorf("parsing //go:build line: %w", err)}
				}
				expr = x
			case lines && strings.Contains(text, "+build") && constraint.IsPlusBuild(text):
				// The go command ignores lines that do not parse.
				if x, err := constraint.Parse(text); err == nil {
					pending = append(pending, x)
				}
			}
		}
		if block, line = skipComments(line, block); len(line) > 0 {
			break // the package clause
		}
	}
	if expr == nil {
		for _, x := range plus {
			if expr == nil {
				expr = x
			} else {
				expr = &constraint.AndExpr{X: expr, Y: x}
			}
		}
	}
	if expr == nil {
		return "", nil
	}
	return expr.String(), nil
}

// skipComments drops the comments at the start of a line. It returns whether a
// block comment is open at the end of the line, and the rest that is no
// comment.
func skipComments(line []byte, block bool) (bool, []byte) {
	for len(line) > 0 {
		switch {
		case block:
			i := bytes.Index(line, []byte("*/"))
			if i < 0 {
				return true, nil
			}
			block = false
			line = bytes.TrimSpace(line[i+2:])
		case bytes.HasPrefix(line, []byte("//")):
			return false, nil
		case bytes.HasPrefix(line, []byte("/*")):
			block = true
			line = line[2:]
		default:
			return false, line
		}
	}
	return block, nil
}
