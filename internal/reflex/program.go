package reflex

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/kballard/go-shellquote"
)

// Program is a Go program that a command builds and runs, in the words of
// hr run.
type Program struct {
	Env     []string // NAME=VALUE, set for the build and the program
	Flags   []string // build flags, each one word
	Package []string // one package, or .go files; empty is the current directory
	Args    []string // the program's own

	// Output is the file name that go build must choose for its output if the
	// command is to run it; "" if the command leaves no doubt.
	Output string
}

// BuildFlag tells whether a flag of the go command may stand in a recognised
// command, and whether its value may be the next word.
type BuildFlag func(name string) (known, hasValue bool)

// GoProgram recognises a command that does nothing but build and run one Go
// program:
//
//	go run [flags] [package] [args]
//	go build [flags] -o X [package] && ./X [args]
//
// the words of which may stand in sh -c '...', with NAME=VALUE in front, and
// with exec before the program. Anything that only a shell understands, and any
// flag that flag does not know, makes it something else.
func GoProgram(command []string, flag BuildFlag) (Program, bool) {
	words, inShell := shellScript(command)
	var parts [][]string
	for {
		i := slices.Index(words, "&&")
		if i < 0 || !inShell {
			parts = append(parts, words)
			break
		}
		parts = append(parts, words[:i])
		words = words[i+1:]
	}
	switch len(parts) {
	case 1:
		return goRun(parts[0], inShell, flag)
	case 2:
		return goBuild(parts[0], parts[1], flag)
	}
	return Program{}, false
}

// shellScript returns the words of sh -c SCRIPT if the script is simple, and
// the command itself otherwise.
func shellScript(command []string) (words []string, inShell bool) {
	if len(command) != 3 || !slices.Contains([]string{"sh", "bash", "dash", "zsh", "ash", "ksh"}, path.Base(command[0])) || !shellFlag.MatchString(command[1]) {
		return command, false
	}
	words, err := shellquote.Split(command[2])
	if err != nil {
		return nil, true
	}
	for _, w := range words {
		// A quoted word may hold these, too; then it is not recognised, which
		// is safe.
		if w != "&&" && strings.ContainsAny(w, "$`;|<>*?()&#\n") || strings.HasPrefix(w, "~") {
			return nil, true
		}
	}
	return words, true
}

var (
	shellFlag  = regexp.MustCompile(`^-[eux]*c$`)
	assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)
)

// cutEnv takes the assignments in front of a shell's command.
func cutEnv(words []string) (env, rest []string) {
	for len(words) > 0 && assignment.MatchString(words[0]) {
		env, words = append(env, words[0]), words[1:]
	}
	return env, words
}

func goRun(words []string, inShell bool, flag BuildFlag) (Program, bool) {
	var p Program
	if inShell || len(words) > 0 && words[0] == "env" {
		if !inShell {
			words = words[1:]
		}
		p.Env, words = cutEnv(words)
		if len(words) > 0 && words[0] == "exec" && inShell {
			words = words[1:]
		}
	}
	if len(words) < 3 || words[0] != "go" || words[1] != "run" {
		return p, false
	}
	rest, _, ok := p.takeFlags(words[2:], flag)
	if !ok || len(rest) == 0 {
		return p, false
	}
	n := sources(rest)
	if n == 0 {
		n = 1
	}
	p.Package, p.Args = rest[:n], rest[n:]
	return p, p.local()
}

func goBuild(build, run []string, flag BuildFlag) (Program, bool) {
	var p Program
	p.Env, build = cutEnv(build)
	if len(build) < 2 || build[0] != "go" || build[1] != "build" {
		return p, false
	}
	rest, output, ok := p.takeFlags(build[2:], flag)
	if !ok {
		return p, false
	}
	if n := sources(rest); n == 0 && len(rest) > 1 || n > 0 && n < len(rest) {
		return p, false // several packages have no output
	}
	p.Package = rest
	env, run := cutEnv(run)
	p.Env = append(p.Env, env...)
	if len(run) > 0 && run[0] == "exec" {
		run = run[1:]
	}
	if len(run) == 0 || !strings.Contains(run[0], "/") {
		return p, false // a word without a slash is looked up in PATH
	}
	p.Args = run[1:]
	switch {
	case output != "":
		if path.Clean(output) != path.Clean(run[0]) {
			return p, false
		}
	case path.Dir(path.Clean(run[0])) != ".":
		return p, false // go build leaves its output in the current directory
	default:
		p.Output = path.Base(run[0])
	}
	return p, p.local()
}

// takeFlags splits build flags from what follows; output is the value of -o.
func (p *Program) takeFlags(words []string, flag BuildFlag) (rest []string, output string, ok bool) {
	for len(words) > 0 && strings.HasPrefix(words[0], "-") && len(words[0]) > 1 {
		if words[0] == "--" {
			return words[1:], output, true
		}
		name, value, inline := strings.Cut(strings.TrimLeft(words[0], "-"), "=")
		words = words[1:]
		known, hasValue := flag(name)
		if name == "o" {
			known, hasValue = true, true
		}
		if name == "v" {
			continue // only names packages
		}
		if !known {
			return nil, "", false
		}
		if hasValue && !inline {
			if len(words) == 0 {
				return nil, "", false
			}
			value, words = words[0], words[1:]
		}
		switch {
		case name == "o":
			output = value
		case hasValue || inline:
			p.Flags = append(p.Flags, "-"+name+"="+value)
		default:
			p.Flags = append(p.Flags, "-"+name)
		}
	}
	return words, output, true
}

// local says whether the package can change: one with a version cannot, and a
// pattern is no package.
func (p *Program) local() bool {
	for _, w := range p.Package {
		if strings.ContainsAny(w, "@") || strings.Contains(w, "...") {
			return false
		}
	}
	return true
}

// sources counts the .go files in front.
func sources(words []string) int {
	n := 0
	for n < len(words) && strings.HasSuffix(words[n], ".go") {
		n++
	}
	return n
}
