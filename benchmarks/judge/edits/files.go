package edits

import (
	"fmt"
	"go/ast"
	"path"
	"strings"
)

// This file adds, removes and renames files, and edits what decides whether a
// build reads them.

func dirOf(rel string) string { return path.Dir(rel) }

func fileNew(e *editor) bool {
	for _, dir := range e.packages() {
		name := e.packageName(dir)
		if name == "" {
			continue
		}
		rel := fmt.Sprintf("%s/judge%d.go", dir, e.id)
		e.write(rel, fmt.Sprintf("package %s\n\n// Judge%d is new.\nfunc Judge%d() string { return \"judge\" }\n\nvar judgeFile%d = Judge%d()\n", name, e.id, e.id, e.id, e.id))
		return e.say("%s: new file", rel)
	}
	return false
}

func fileDeleted(e *editor) bool {
	s, _, ok := pick(e, func(s *source) []int {
		// A file of the program's own mostly breaks it; one of ours does not.
		if e.r.IntN(6) == 0 || strings.Contains(s.rel, "judge") {
			return []int{0}
		}
		return nil
	})
	if !ok {
		return false
	}
	e.remove(s.rel)
	return e.say("%s: deleted", s.rel)
}

func fileRenamed(e *editor) bool {
	s, ok := e.anyFile()
	if !ok {
		return false
	}
	to := fmt.Sprintf("%s/judge%d_%s", dirOf(s.rel), e.id, path.Base(s.rel))
	e.rename(s.rel, to)
	return e.say("%s: renamed to %s", s.rel, path.Base(to))
}

// buildLine returns the //go:build line of a file, "" if it has none.
func buildLine(s *source) string {
	for line := range strings.Lines(s.text) {
		if strings.HasPrefix(line, "//go:build ") {
			return line
		}
		if strings.HasPrefix(line, "package ") {
			return ""
		}
	}
	return ""
}

// Constraints that hold or do not hold in any build of ours.
var (
	holds = []string{"!judgeoff", "go1.18", "gc || judge", "!js || !wasm"}
	fails = []string{"judge", "ignore", "go1.999", "js && wasm"}
)

func constraintAdded(e *editor) bool {
	s, _, ok := pick(e, func(s *source) []int {
		if buildLine(s) == "" {
			return []int{0}
		}
		return nil
	})
	if !ok {
		return false
	}
	c := choose(e, holds)
	if e.r.IntN(4) == 0 {
		c = choose(e, fails)
	}
	e.write(s.rel, "//go:build "+c+"\n\n"+s.text)
	return e.say("%s: //go:build %s", s.rel, c)
}

// constrained picks a file with a constraint, also one that the build leaves
// out.
func (e *editor) constrained() (rel, text, line string, ok bool) {
	for _, dir := range e.packages() {
		for _, rel := range e.files(dir, ".go") {
			if s := e.parse(rel); s != nil && buildLine(s) != "" && e.r.IntN(2) == 0 && !strings.HasSuffix(rel, "_test.go") {
				return rel, s.text, buildLine(s), true
			}
		}
	}
	return "", "", "", false
}

func constraintChanged(e *editor) bool {
	rel, text, line, ok := e.constrained()
	if !ok {
		return constraintAdded(e)
	}
	c := strings.TrimSpace(strings.TrimPrefix(line, "//go:build "))
	c = choose(e, []string{"!(" + c + ")", "(" + c + ") && " + choose(e, holds), "(" + c + ") || " + choose(e, fails), "(" + c + ") && " + choose(e, fails)})
	e.write(rel, strings.Replace(text, line, "//go:build "+c+"\n", 1))
	return e.say("%s: //go:build %s", rel, c)
}

func constraintRemoved(e *editor) bool {
	rel, text, line, ok := e.constrained()
	if !ok {
		return false
	}
	e.write(rel, strings.Replace(text, line, "", 1))
	return e.say("%s: no //go:build", rel)
}

// suffixRenamed gives a file the name of a system, or takes it away.
func suffixRenamed(e *editor) bool {
	for _, dir := range e.packages() {
		for _, rel := range e.files(dir, ".go") {
			for _, suffix := range []string{"_windows.go", "_linux.go", "_darwin.go", "_arm64.go", "_amd64.go"} {
				if strings.HasSuffix(rel, suffix) && e.r.IntN(2) == 0 {
					e.rename(rel, strings.TrimSuffix(rel, suffix)+fmt.Sprintf("_j%d.go", e.id))
					return e.say("%s: without its suffix", rel)
				}
			}
		}
	}
	s, ok := e.anyFile()
	if !ok || strings.HasSuffix(s.rel, "_test.go") {
		return false
	}
	suffix := choose(e, []string{"_linux.go", "_amd64.go", "_linux_amd64.go", "_windows.go"})
	e.rename(s.rel, strings.TrimSuffix(s.rel, ".go")+suffix)
	return e.say("%s: renamed to end in %s", s.rel, suffix)
}

// directoryRenamed renames a package's directory, as one does before the
// imports are mended.
func directoryRenamed(e *editor) bool {
	for _, dir := range e.packages() {
		if dir == "." || dir == e.t.Main {
			continue
		}
		to := fmt.Sprintf("%sj%d", dir, e.id)
		e.rename(dir, to)
		if e.r.IntN(2) == 0 { // and back at once
			e.wait(fastMost)
			e.rename(to, dir)
			return e.say("%s: renamed and back", dir)
		}
		return e.say("%s: renamed to %s", dir, to)
	}
	return false
}

// directoryMoved renames a package's directory and mends the imports.
func directoryMoved(e *editor) bool {
	for _, dir := range e.packages() {
		from := e.importPath(dir)
		if dir == "." || dir == e.t.Main || from == "" {
			continue
		}
		name := e.packageName(dir)
		to := fmt.Sprintf("%sj%d", dir, e.id)
		path2 := fmt.Sprintf("%sj%d", from, e.id)
		e.rename(dir, to)
		e.mendImports(from, name+` "`+path2+`"`)
		return e.say("%s: moved to %s", dir, to)
	}
	return false
}

// packageRenamed changes the package clause of all files, and the imports.
func packageRenamed(e *editor) bool {
	for _, dir := range e.packages() {
		from, name := e.importPath(dir), e.packageName(dir)
		if name == "main" || name == "" || from == "" {
			continue
		}
		to := fmt.Sprintf("%sj%d", name, e.id)
		for _, rel := range e.files(dir, ".go") {
			if s := e.parse(rel); s != nil && s.file.Name.Name == name {
				e.write(rel, s.with(s.file.Name.Pos(), s.file.Name.End(), to))
			}
		}
		if e.r.IntN(4) > 0 { // else the importers do not compile any more
			e.mendImports(from, name+` "`+from+`"`)
		}
		return e.say("%s: package %s is %s", dir, name, to)
	}
	return false
}

// mendImports gives every import of a path another spelling, if it has no name
// of its own.
func (e *editor) mendImports(from, spec string) {
	for _, dir := range e.t.Packages {
		if !e.exists(dir) {
			continue
		}
		for _, rel := range e.files(dir, ".go") {
			s := e.parse(rel)
			if s == nil || !s.imports(from) {
				continue
			}
			for _, i := range s.file.Imports {
				if i.Path.Value != `"`+from+`"` {
					continue
				}
				with := spec
				if i.Name != nil {
					with = i.Name.Name + spec[strings.Index(spec, " "):]
				}
				e.write(rel, s.with(i.Pos(), i.End(), with))
			}
		}
	}
}

// importPath is the path of a directory in its module, "" beside it.
func (e *editor) importPath(dir string) string {
	if strings.HasPrefix(dir, "..") {
		return ""
	}
	for root := dir; ; root = path.Dir(root) {
		mod, ok := e.read(path.Join(root, "go.mod"))
		if !ok {
			if root == "." {
				return ""
			}
			continue
		}
		name := moduleName(mod)
		if rel := strings.TrimPrefix(strings.TrimPrefix(dir, root), "/"); dir != root && rel != "" {
			if root == "." {
				rel = dir
			}
			return name + "/" + rel
		}
		return name
	}
}

// branch rewrites many files at once, as git does.
func branch(e *editor) bool {
	n := 0
	for _, dir := range e.packages() {
		for _, rel := range e.files(dir, ".go") {
			s := e.parse(rel)
			if s == nil || n >= branchMost {
				continue
			}
			text := s.text
			switch e.r.IntN(3) {
			case 0:
				text += fmt.Sprintf("\n// branch %d\n", e.id)
			case 1:
				text += fmt.Sprintf("\nvar judgeBranch%d_%d = %d\n", e.id, n, n)
			default:
				if lits := stringsIn(s); len(lits) > 0 {
					var l ast.Node = choose(e, lits)
					text = s.with(l.End()-1, l.End(), fmt.Sprintf("%d\"", e.id%10))
				}
			}
			e.write(rel, text)
			n++
		}
	}
	return n > 0 && e.say("%d files of another branch", n)
}

// branchMost is how many files a branch changes at most.
const branchMost = 300
