package tags

import (
	"go/build/constraint"
	"strings"
)

// Decision says whether a file is in a build, and if not, why not, in words
// that go after the file's name: "x_windows.go: file name says windows".
type Decision struct {
	In  bool
	Why string
}

// IgnoredPackage is the package name whose files the go command never builds.
// File does not see the package clause: a caller that has it must ask.
const IgnoredPackage = "documentation"

// readExt are the endings, Go apart, of the files that the go command takes
// into a package by name alone (go/build, fileListForExt).
var readExt = words(`.c .cc .cpp .cxx .m .h .hh .hpp .hxx .f .F .for .f90 .s .S .sx .swig
	.swigcxx .syso`)

// SourceExt reports whether files of an ending, as in ".go", can be part of a
// package. It and Source have the only list of endings.
func SourceExt(ext string) bool { return ext == ".go" || readExt[ext] }

// Source reports whether the go command looks at a file of that base name for
// the package of its directory, tests excluded, in any context.
func Source(name string) bool {
	return !strings.HasPrefix(name, "_") && !strings.HasPrefix(name, ".") &&
		SourceExt(extOf(name)) && !strings.HasSuffix(name, "_test.go")
}

func extOf(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[i:]
	}
	return ""
}

// File decides whether the go command takes a file into a package in this
// context, tests excluded. The name is the file's base name; constraint is its
// //go:build expression as constraint.Expr.String gives it, or "" for none;
// importsC tells of a Go file that imports "C".
//
// Embedded files are not known here: no rule of names applies to them. A .S or
// .sx file is only used in a package with cgo files, which is for the caller to
// know. An expression that does not parse counts as in, for it stops the build.
func (c Context) File(name, constraint string, importsC bool) Decision {
	switch {
	case strings.HasPrefix(name, "_"):
		return Decision{Why: "name starts with _"}
	case strings.HasPrefix(name, "."):
		return Decision{Why: "name starts with ."}
	}
	ext := extOf(name)
	if !SourceExt(ext) {
		return Decision{Why: "not a file the build reads"}
	}
	if strings.HasSuffix(name, "_test.go") {
		return Decision{Why: "test file"}
	}
	for _, word := range nameTags(name) {
		if !c.Satisfied(word) {
			return Decision{Why: "file name says " + word}
		}
	}
	if ext == ".syso" {
		return Decision{In: true} // an object file has no comments to look for
	}
	if constraint != "" && !c.holds(constraint) {
		return Decision{Why: "excluded by //go:build " + constraint}
	}
	if ext == ".go" && importsC && !c.CGO {
		return Decision{Why: "cgo is off"}
	}
	return Decision{In: true}
}

// nameTags returns the GOOS and GOARCH that a file's name ends in. The part of
// the name before the first underscore never counts: linux.go is for all.
func nameTags(name string) []string {
	stem, _, _ := strings.Cut(name, ".")
	i := strings.IndexByte(stem, '_')
	if i < 0 {
		return nil
	}
	parts := strings.Split(strings.TrimSuffix(stem[i:], "_test"), "_")
	last := parts[len(parts)-1]
	if knownArch[last] {
		if len(parts) > 1 && knownOS[parts[len(parts)-2]] {
			return []string{parts[len(parts)-2], last}
		}
		return []string{last}
	}
	if knownOS[last] {
		return []string{last}
	}
	return nil
}

func (c Context) holds(expr string) bool {
	x, err := parse(expr)
	return err != nil || x.Eval(c.Satisfied)
}

// Mentioned returns the tags that a //go:build expression names, in order of
// first mention, negated or not; none if it does not parse.
func Mentioned(expr string) []string {
	x, err := parse(expr)
	if err != nil {
		return nil
	}
	var list []string
	seen := make(map[string]bool)
	var walk func(constraint.Expr)
	walk = func(x constraint.Expr) {
		switch x := x.(type) {
		case *constraint.TagExpr:
			if !seen[x.Tag] {
				seen[x.Tag] = true
				list = append(list, x.Tag)
			}
		case *constraint.NotExpr:
			walk(x.X)
		case *constraint.AndExpr:
			walk(x.X)
			walk(x.Y)
		case *constraint.OrExpr:
			walk(x.X)
			walk(x.Y)
		}
	}
	walk(x)
	return list
}

func parse(expr string) (constraint.Expr, error) {
	return constraint.Parse("//go:build " + expr)
}
