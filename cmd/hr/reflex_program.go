package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/reflex"
	"github.com/hotreflex/hr/tags"
)

// goProgram is a service of a reflex.conf that hr run takes care of.
type goProgram struct {
	reflex.Program
	grace time.Duration
}

// findGoProgram recognises the command of a line, or returns nil.
func findGoProgram(dir string, spec *reflex.Line) *goProgram {
	p, ok := reflex.GoProgram(spec.Command, knownGoFlag)
	if !ok || p.Output != "" && p.Output != outputName(dir, p.Package) {
		return nil
	}
	if len(p.Package) > 0 && len(p.Args) > 0 && strings.HasSuffix(p.Package[0], ".go") && strings.HasSuffix(p.Args[0], ".go") {
		return nil // hr run, as go run, would take the argument for a file of the package
	}
	return &goProgram{p, 2 * spec.ShutdownTimeout}
}

// knownGoFlag knows the build flags of hr run.
func knownGoFlag(name string) (known, hasValue bool) {
	is := func(f [2]string) bool { return f[0] == name }
	if slices.ContainsFunc(goValueFlags, is) {
		return true, true
	}
	return slices.ContainsFunc(goBoolFlags, is), false
}

// outputName is the file that go build without -o writes (go help build).
func outputName(dir string, pkg []string) string {
	name := ""
	switch {
	case len(pkg) > 0 && strings.HasSuffix(pkg[0], ".go"):
		name = strings.TrimSuffix(filepath.Base(pkg[0]), ".go")
	default:
		at := dir
		if len(pkg) > 0 {
			at = filepath.Join(dir, filepath.FromSlash(pkg[0]))
		}
		name = filepath.Base(at)
		if module, root := graph.ModulePath(at); root == at {
			name = path.Base(module)
			if majorVersion.MatchString(name) && strings.Contains(module, "/") {
				name = path.Base(path.Dir(module))
			}
		}
	}
	return name
}

var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// words are what hr run is given, as a user would type it.
func (p *goProgram) words() []string {
	words := append(append([]string{}, p.Flags...), p.Package...)
	if len(p.Args) > 0 {
		if len(p.Package) == 0 {
			words = append(words, ".")
		}
		words = append(words, p.Args...)
	}
	return words
}

// command is this program as hr run.
func (p *goProgram) command() (file string, args, env []string) {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	args = append([]string{"hr", "run", fmt.Sprintf("--grace=%v", p.grace)}, p.words()...)
	return self, args, append(os.Environ(), p.Env...)
}

// slack is what hr run needs to end beside the program's grace.
func (p *goProgram) slack() time.Duration { return 2 * time.Second }

// isBuildInput reports whether a change is hr run's business. Embedded files are
// not known here: of those both take notice, and the program starts once more.
func isBuildInput(path string) bool {
	name := filepath.Base(path)
	return tags.SourceExt(filepath.Ext(name)) || moduleFile(name) || name == "default.pgo"
}

// moduleFile reports whether a file of that name can say which modules a program
// is made of.
func moduleFile(name string) bool {
	switch name {
	case "go.mod", "go.sum", "go.work", "go.work.sum", "modules.txt":
		return true
	}
	return false
}
