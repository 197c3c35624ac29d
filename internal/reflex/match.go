package reflex

import (
	"fmt"
	"path"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// defaultExcludes are the paths that no line without --all is told of: what
// version control and editors leave behind. .jj came with reflex v0.3.2.
var defaultExcludes = []string{
	`(^|/)\.git/`,
	`(^|/)\.hg/`,
	`(^|/)\.jj/`,
	`~$`,
	`\.swp$`,
	`\.#`,
	`(^|/)#.*#$`,
	`(^|/)\.DS_Store$`,
}

// Matcher says which paths a line selects. A path is relative to the watched
// directory, its separator is a slash, and that of a directory ends in one.
// All patterns of a line must agree.
type Matcher struct {
	want, not           []*regexp.Regexp
	usual               []*regexp.Regexp // the default excludes
	globs, notGlobs     []string
	prunes              []*regexp.Regexp // those of not that decide by a prefix
	onlyFiles, onlyDirs bool
}

// NewMatcher compiles the patterns of a line.
func NewMatcher(l *Line) (*Matcher, error) {
	m := &Matcher{globs: l.Globs, notGlobs: l.InverseGlobs, onlyFiles: l.OnlyFiles, onlyDirs: l.OnlyDirs}
	for _, text := range l.Regexes {
		re, err := regexp.Compile(text)
		if err != nil {
			return nil, err
		}
		m.want = append(m.want, re)
	}
	not := func(list *[]*regexp.Regexp, texts []string) error {
		for _, text := range texts {
			re, err := regexp.Compile(text)
			if err != nil {
				return err
			}
			*list = append(*list, re)
			if text != "" && decidesByPrefix(text) {
				m.prunes = append(m.prunes, re)
			}
		}
		return nil
	}
	if err := not(&m.not, l.InverseRegexes); err != nil {
		return nil, err
	}
	if !l.All {
		if err := not(&m.usual, defaultExcludes); err != nil {
			return nil, err
		}
	}
	for _, g := range append(append([]string{}, m.globs...), m.notGlobs...) {
		if !validGlob(g) {
			return nil, fmt.Errorf("error in glob %q", g)
		}
	}
	return m, nil
}

// Match says whether the line is told of a path.
func (m *Matcher) Match(name string) bool {
	if dir := strings.HasSuffix(name, "/"); dir && m.onlyFiles || !dir && m.onlyDirs {
		return false
	}
	for _, re := range m.want {
		if !re.MatchString(name) {
			return false
		}
	}
	for _, re := range m.not {
		if re.MatchString(name) {
			return false
		}
	}
	if suspicious(name) {
		for _, re := range m.usual {
			if re.MatchString(name) {
				return false
			}
		}
	}
	for _, g := range m.globs {
		if !globMatches(g, name) {
			return false
		}
	}
	for _, g := range m.notGlobs {
		if globMatches(g, name) {
			return false
		}
	}
	return true
}

// suspicious holds for every path that a default exclude matches and for few
// others: eight expressions for each file of a large tree take their time.
func suspicious(name string) bool {
	return strings.ContainsAny(name, "~#") || strings.HasPrefix(name, ".") || strings.Contains(name, "/.") || strings.HasSuffix(name, ".swp")
}

// Prunes says that nothing below a directory, given with its slash, can be
// selected, so that it need not be watched.
func (m *Matcher) Prunes(dir string) bool {
	for _, re := range m.prunes {
		if re.MatchString(dir) {
			return true
		}
	}
	for _, g := range m.notGlobs {
		// dir/x stands for any path below: ** at the end takes them all.
		if strings.HasSuffix(g, "/**") && globMatches(g, dir+"x") {
			return true
		}
	}
	return false
}

// globMatches is filepath.Match for patterns without **, as in reflex, and
// doublestar's rules for the others.
func globMatches(glob, name string) bool {
	if strings.Contains(glob, "**") {
		return doublestar.MatchUnvalidated(glob, name)
	}
	ok, _ := path.Match(glob, name) // the pattern was validated
	return ok
}

func validGlob(glob string) bool {
	if strings.Contains(glob, "**") {
		return doublestar.ValidatePattern(glob)
	}
	_, err := path.Match(glob, "")
	return err == nil
}

// decidesByPrefix says whether a match of the expression cannot be undone by
// more text behind it. Only an assertion about what follows could: $, \z, \b
// and \B.
func decidesByPrefix(text string) bool {
	re, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return false
	}
	return !looksAhead(re)
}

func looksAhead(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpEndLine, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	}
	for _, sub := range re.Sub {
		if looksAhead(sub) {
			return true
		}
	}
	return false
}
