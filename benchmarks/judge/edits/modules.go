package edits

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
)

// This file edits what decides which code an import path names.

// module is one that go.mod requires.
type module struct{ path, version string }

var requireLine = regexp.MustCompile(`(?m)^(?:require)?[ \t]+([^\s()]+\.[^\s()]+) (v[^\s]+)`)

// required returns the modules that go.mod requires.
func (e *editor) required() []module {
	text, _ := e.read("go.mod")
	var out []module
	for _, m := range requireLine.FindAllStringSubmatch(text, -1) {
		out = append(out, module{m[1], m[2]})
	}
	return out
}

func moduleName(mod string) string {
	for line := range strings.Lines(mod) {
		if name, ok := strings.CutPrefix(line, "module "); ok {
			return strings.TrimSpace(name)
		}
	}
	return ""
}

// moduleDir is where the module cache keeps a module: upper case letters are
// written with an exclamation mark (go help modules, module cache).
func moduleDir(m module) string {
	root := os.Getenv("GOMODCACHE")
	if root == "" {
		home, _ := os.UserHomeDir()
		root = filepath.Join(home, "go", "pkg", "mod")
	}
	var b strings.Builder
	for _, r := range m.path {
		if unicode.IsUpper(r) {
			b.WriteByte('!')
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return filepath.Join(root, filepath.FromSlash(b.String())+"@"+m.version)
}

var sumLine = regexp.MustCompile(`(?m)^(\S+) (v\S+) h1:`)

// modRequire adds a require line of a module that go.sum knows, or drops one.
func modRequire(e *editor) bool {
	mod, ok := e.read("go.mod")
	if !ok {
		return false
	}
	sum, _ := e.read("go.sum")
	var more []module
	for _, m := range sumLine.FindAllStringSubmatch(sum, -1) {
		if !strings.Contains(mod, m[1]+" ") {
			more = append(more, module{m[1], m[2]})
		}
	}
	list := e.required()
	if len(more) == 0 || len(list) > 0 && e.r.IntN(4) == 0 {
		if len(list) == 0 {
			return false
		}
		m := choose(e, list)
		text := regexp.MustCompile(`(?m)^(require )?[ \t]*`+regexp.QuoteMeta(m.path)+` v.*\n`).ReplaceAllString(mod, "")
		e.write("go.mod", text)
		return e.say("go.mod: %s is not required", m.path)
	}
	m := choose(e, more)
	e.write("go.mod", mod+fmt.Sprintf("\nrequire %s %s\n", m.path, m.version))
	return e.say("go.mod: %s is required", m.path)
}

// modReplace replaces a required module by a copy beside ours.
func modReplace(e *editor) bool {
	mod, ok := e.read("go.mod")
	if !ok {
		return false
	}
	list := e.required()
	e.r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	for _, m := range list {
		dir := moduleDir(m)
		if strings.Contains(mod, "replace "+m.path) || countFiles(dir) == 0 || countFiles(dir) > 60 {
			continue
		}
		to := fmt.Sprintf("../judge%d", e.id)
		e.makeDir(e.path(to))
		e.fail(copyTree(dir, e.path(to)))
		if !e.exists(to + "/go.mod") {
			e.fail(os.WriteFile(e.path(to+"/go.mod"), []byte("module "+m.path+"\n"), 0o644))
		}
		e.write("go.mod", mod+fmt.Sprintf("\nreplace %s => %s\n", m.path, to))
		e.t.Packages = append(e.t.Packages, to)
		return e.say("go.mod: %s is replaced by %s", m.path, to)
	}
	return false
}

func countFiles(dir string) (n int) {
	filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			n++
		}
		if n > 1000 {
			return filepath.SkipAll
		}
		return nil
	})
	return n
}

// copyTree copies regular files and makes them writable.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), data, 0o644)
	})
}

var goLine = regexp.MustCompile(`(?m)^go 1\.(\d+)(\.\d+)?$`)

func modGoLine(e *editor) bool {
	rels := []string{"go.mod"}
	for _, p := range e.t.Packages {
		if p != "." && e.exists(p+"/go.mod") {
			rels = append(rels, p+"/go.mod")
		}
	}
	rel := choose(e, rels)
	mod, ok := e.read(rel)
	if !ok || !goLine.MatchString(mod) {
		return false
	}
	line := choose(e, []string{"go 1.25", "go 1.25.0", "go 1.26", "go 1.24", "go 1.99"})
	e.write(rel, goLine.ReplaceAllString(mod, line))
	return e.say("%s: %s", rel, line)
}

// modSum damages go.sum or adds to it.
func modSum(e *editor) bool {
	sum, ok := e.read("go.sum")
	if !ok {
		e.write("go.sum", "example.com/judge v1.0.0/go.mod h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")
		return e.say("go.sum: new")
	}
	lines := strings.SplitAfter(strings.TrimRight(sum, "\n"), "\n")
	if e.r.IntN(2) == 0 {
		i := e.r.IntN(len(lines))
		e.write("go.sum", strings.Join(append(lines[:i:i], lines[i+1:]...), "")+"\n")
		return e.say("go.sum: without %q", strings.TrimSpace(lines[i]))
	}
	e.write("go.sum", sum+"example.com/judge v1.0.0/go.mod h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")
	return e.say("go.sum: one more line")
}

// goWork puts a go.work into the module or above it, or takes it away.
func goWork(e *editor) bool {
	for _, rel := range []string{"go.work", "../go.work"} {
		if e.exists(rel) {
			e.remove(rel)
			return e.say("%s: gone", rel)
		}
	}
	base := filepath.Base(e.t.Dir)
	if e.r.IntN(2) == 0 {
		e.write("go.work", "go 1.26\n\nuse .\n")
		return e.say("go.work: new")
	}
	e.write("../go.work", "go 1.26\n\nuse ./"+base+"\n")
	return e.say("../go.work: new")
}

// vendor makes the vendor directory or removes it.
func vendor(e *editor) bool {
	for _, rel := range []string{"vendor", "../vendor"} {
		if e.exists(rel) {
			aside := rel + fmt.Sprintf(".judge%d", e.id)
			e.rename(rel, path.Join(path.Dir(rel), "."+path.Base(aside)))
			return e.say("%s: gone", rel)
		}
	}
	words := []string{"mod", "vendor"}
	dir := "vendor"
	switch {
	case e.exists("go.work"):
		words[0] = "work"
	case e.exists("../go.work"):
		words[0], dir = "work", "../vendor"
	}
	cmd := exec.Command("go", words...)
	cmd.Dir, cmd.Env = e.t.Dir, append(e.t.Env, "PWD="+e.t.Dir)
	target := e.path(dir)
	e.back = append(e.back, func() error { return os.RemoveAll(target) })
	if out, err := cmd.CombinedOutput(); err != nil || !e.exists(dir+"/modules.txt") {
		_ = out // the go command does not vendor this tree as it is now
		os.RemoveAll(target)
		return false
	}
	return e.say("%s: new", dir)
}

// sample is a profile of fmt.Sprintf in a loop. It is the same each time, since
// all packages are compiled anew for another one.
//
//go:embed sample.pprof
var sample string

// defaultPGO brings a profile, or takes one away.
func defaultPGO(e *editor) bool {
	rel := e.t.Main + "/default.pgo"
	if e.exists(rel) {
		e.remove(rel)
		return e.say("%s: gone", rel)
	}
	e.write(rel, sample)
	return e.say("%s: new", rel)
}

// debugDirective changes what the go command tells its linker.
func debugDirective(e *editor) bool {
	for _, rel := range e.files(e.t.Main, ".go") {
		s := e.parse(rel)
		if s == nil || !e.built(rel) || s.file.Name.Name != "main" {
			continue
		}
		if i := strings.Index(s.text, "//go:debug "); i >= 0 && i < s.at(s.file.Package) && e.r.IntN(2) == 0 {
			end := i + strings.IndexByte(s.text[i:], '\n') + 1
			e.write(rel, s.text[:i]+s.text[end:])
			return e.say("%s: no //go:debug", rel)
		}
		e.write(rel, s.insert(s.lineStart(s.file.Package), choose(e, []string{"//go:debug http2client=0\n", "//go:debug madvdontneed=1\n", "//go:debug panicnil=1\n"})))
		return e.say("%s: //go:debug", rel)
	}
	return false
}
