package engine

import (
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hotreflex/hr/internal/graph"
)

// MainError says which package to run could not be decided.
type MainError struct {
	Dir   string
	Mains []string // candidates, relative to the client's directory
	Why   string
	Hint  string // what to do, empty for the usual
}

func (e *MainError) Error() string { return e.Why }

// findPackage decides which main package is meant, without a go command.
func (t *Target) findPackage() error {
	if words := t.job.Package; len(words) > 0 {
		switch word := words[0]; {
		case strings.HasSuffix(word, ".go"):
		case strings.Contains(word, "@") && !isLocal(word):
			return &MainError{Dir: t.job.Dir, Why: word + " has a version: a program of the module cache never changes", Hint: "go run " + word + " runs it"}
		case strings.Contains(word, "..."):
			return t.matchPattern(word)
		}
		t.patterns = words
		return nil
	}
	dir := t.job.Dir
	if graph.IsMain(dir, t.context) {
		t.patterns = []string{"."}
		return nil
	}
	_, root := graph.ModulePath(dir)
	if root == "" {
		return &MainError{Dir: dir, Why: "no go.mod in " + dir + " or above, and no main package here"}
	}
	names := relNames(dir, graph.Mains(root, t.context))
	switch len(names) {
	case 0:
		return &MainError{Dir: dir, Why: "no main package in " + dir + " or its module"}
	case 1:
		t.patterns = names
		return nil
	}
	return &MainError{Dir: dir, Mains: names, Why: "several main packages: " + strings.Join(names, ", ")}
}

// matchPattern takes a pattern that one main package of the module matches, as
// go run does.
func (t *Target) matchPattern(pattern string) error {
	dir := t.job.Dir
	module, root := graph.ModulePath(dir)
	abs := filepath.ToSlash(pattern)
	switch {
	case root == "":
		return &MainError{Dir: dir, Why: "no go.mod in " + dir + " or above"}
	case filepath.IsAbs(pattern):
	case isLocal(pattern):
		abs = path.Join(filepath.ToSlash(dir), abs)
	case module != "" && (pattern == "..." || pattern == module+"/..." || strings.HasPrefix(pattern, module+"/")):
		abs = path.Join(filepath.ToSlash(root), strings.TrimPrefix(strings.TrimPrefix(pattern, module), "/"))
	default:
		return &MainError{Dir: dir, Why: pattern + " is a pattern of packages that are not of this module: name one main package"}
	}
	before, _, _ := strings.Cut(abs, "...")
	start := filepath.FromSlash(path.Dir(before + "x")) // all that matches lies below it
	if rel, err := filepath.Rel(root, start); err != nil || strings.HasPrefix(rel, "..") {
		start = root // what lies above the module is not of it
	}
	match := patternRegexp(abs)
	var mains []string
	for _, main := range graph.Mains(start, t.context) {
		if match.MatchString(filepath.ToSlash(main)) {
			mains = append(mains, main)
		}
	}
	names := relNames(dir, mains)
	switch len(names) {
	case 0:
		return &MainError{Dir: dir, Why: pattern + " matches no main package"}
	case 1:
		t.patterns = names
		return nil
	}
	return &MainError{Dir: dir, Mains: names, Why: pattern + " matches several main packages: " + strings.Join(names, ", ")}
}

// patternRegexp matches what a pattern does: "..." is any text, and "/..." at
// the end may be nothing (cmd/internal/pkgpattern).
func patternRegexp(pattern string) *regexp.Regexp {
	re := strings.ReplaceAll(regexp.QuoteMeta(pattern), `\.\.\.`, `.*`)
	if rest, ok := strings.CutSuffix(re, `/.*`); ok {
		re = rest + `(/.*)?`
	}
	return regexp.MustCompile("^" + re + "$")
}

// isLocal reports whether a package argument names a directory
// (go/build, IsLocalImport; an absolute path is one as well).
func isLocal(word string) bool {
	return word == "." || word == ".." || strings.HasPrefix(word, "./") || strings.HasPrefix(word, "../") || filepath.IsAbs(word)
}

// relNames writes directories as the go command takes them in dir.
func relNames(dir string, dirs []string) []string {
	var names []string
	for _, d := range dirs {
		rel, err := filepath.Rel(dir, d)
		if err != nil {
			continue
		}
		rel = filepath.ToSlash(rel)
		if !strings.HasPrefix(rel, "../") && rel != ".." {
			if rel = path.Clean(rel); rel != "." {
				rel = "./" + rel
			}
		}
		names = append(names, rel)
	}
	slices.Sort(names)
	return names
}
