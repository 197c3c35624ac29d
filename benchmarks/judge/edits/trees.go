package edits

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/txtar"
)

// Program is a tree and how it is built and tried.
type Program struct {
	Tree
	Name    string
	Package string   // argument of go build
	Flags   []string // go build flags
	// Args make the program show itself and end; a server has none, and answers
	// Paths on the address that it is given as "-addr".
	Args  []string
	Paths []string
}

// Names of the trees that Make knows and that are judged if none is named; gh
// and hugo are two more large programs.
var Names = []string{"mixed", "ginsvc", "wide", "caddy", "gopls"}

// The large programs, pinned so that runs can be repeated.
var pinned = map[string]string{
	"caddy": "github.com/caddyserver/caddy/v2@v2.11.9",
	"gh":    "github.com/cli/cli/v2@v2.83.0",
	"hugo":  "github.com/gohugoio/hugo@v0.164.0",
	"gopls": "golang.org/x/tools/gopls@v0.21.1",
}

//go:embed mixed.txtar
var mixedText []byte

// Make lays a tree out below base, which is empty. Examples is the project's
// directory of that name.
func Make(name, base, examples string, env []string) (*Program, error) {
	p := &Program{Name: name, Flags: []string{"-buildvcs=false", "-ldflags=-s -w"}}
	p.Dir, p.Env = filepath.Join(base, name), env
	var err error
	switch name {
	case "mixed":
		err = unpack(txtar.Parse(mixedText), base)
		p.Main, p.Flags = "cmd/mixed", append(p.Flags, "-pgo=auto")
	case "ginsvc":
		err = copyTree(filepath.Join(examples, name), p.Dir)
		p.Main, p.Tags, p.Flags = "cmd/ginsvc", []string{"dev"}, append(p.Flags, "-tags=dev")
		p.Paths = []string{"/", "/hello?name=judge", "/static/style.css", "/notes"}
	case "wide":
		err = unpack(wideTree(), base)
		p.Main = "cmd/wide"
	case "caddy", "gh", "gopls", "hugo":
		p.Main, p.Args = ".", []string{"version"}
		switch name {
		case "caddy":
			p.Main, p.Args = "cmd/caddy", []string{"list-modules", "--skip-standard"}
		case "gh":
			p.Main, p.Args = "cmd/gh", []string{"help", "reference"}
		case "gopls":
			p.Args = []string{"api-json"}
		}
		// A copy of hundreds of packages, or a compile of all of them, for one edit.
		p.Not = []string{"vendor", "default.pgo"}
		err = p.download(pinned[name])
	default:
		err = fmt.Errorf("no tree %q", name)
	}
	if err != nil {
		return nil, fmt.Errorf("make tree: %w", err)
	}
	p.Package = "./" + p.Main
	return p, p.list()
}

func unpack(a *txtar.Archive, base string) error {
	fsys, err := txtar.FS(a)
	if err != nil {
		return err
	}
	return os.CopyFS(base, fsys)
}

// download copies a module out of the module cache.
func (p *Program) download(module string) error {
	cmd := exec.Command("go", "mod", "download", "-json", module)
	cmd.Dir, cmd.Env = os.TempDir(), p.Env
	out, err := cmd.Output()
	var m struct{ Dir, Error string }
	if json.Unmarshal(out, &m); m.Error != "" {
		return errors.New(m.Error)
	}
	if err != nil {
		return err
	}
	return copyTree(m.Dir, p.Dir)
}

// list asks the go command for the packages that can be edited.
func (p *Program) list() error {
	args := append([]string{"list", "-deps", "-f", "{{if not .Standard}}{{.Dir}}\t{{.ImportPath}}\t{{join .Deps \" \"}}{{end}}"}, p.Flags...)
	cmd := exec.Command("go", append(args, p.Package)...)
	cmd.Dir, cmd.Env = p.Dir, append(slices.Clone(p.Env), "PWD="+p.Dir)
	out, err := cmd.Output()
	if err != nil {
		var e *exec.ExitError
		if errors.As(err, &e) {
			err = fmt.Errorf("%w\n%s", err, e.Stderr)
		}
		return fmt.Errorf("list packages of %s: %w", p.Name, err)
	}
	base := filepath.Dir(p.Dir)
	above := map[string]int{} // by import path
	byPath := map[string]string{}
	for line := range strings.Lines(string(out)) {
		dir, rest, _ := strings.Cut(strings.TrimSpace(line), "\t")
		path, deps, _ := strings.Cut(rest, "\t")
		if rel, err := filepath.Rel(p.Dir, dir); err == nil && strings.HasPrefix(dir, base+string(filepath.Separator)) {
			p.Packages = append(p.Packages, filepath.ToSlash(rel))
			byPath[path] = filepath.ToSlash(rel)
			for dep := range strings.SplitSeq(deps, " ") {
				above[dep]++
			}
		}
	}
	slices.Sort(p.Packages)
	if _, large := pinned[p.Name]; large {
		p.Above = map[string]int{}
		for path, dir := range byPath {
			p.Above[dir] = above[path]
		}
	}
	return nil
}

// wideImporters is how many packages import the leaf of the tree wide.
const wideImporters = 200

// wideTree is a module with a leaf that many packages import.
func wideTree() *txtar.Archive {
	a := &txtar.Archive{}
	add := func(name, text string) {
		a.Files = append(a.Files, txtar.File{Name: "wide/" + name, Data: []byte(text)})
	}
	add("go.mod", "module example.com/wide\n\ngo 1.25\n")
	add("leaf/leaf.go", wideLeaf)
	var imports, calls strings.Builder
	for i := range wideImporters {
		name := fmt.Sprintf("part%03d", i)
		add(name+"/"+name+".go", strings.NewReplacer("PART", name, "SEED", fmt.Sprint(i)).Replace(widePart))
		fmt.Fprintf(&imports, "\t\"example.com/wide/%s\"\n", name)
		fmt.Fprintf(&calls, "\tfmt.Println(%s.Describe(%d), %s.Name)\n", name, i, name)
	}
	add("cmd/wide/main.go", "package main\n\nimport (\n\t\"fmt\"\n\n"+imports.String()+")\n\nfunc main() {\n"+calls.String()+"}\n")
	return a
}

const wideLeaf = `// Package leaf is imported by many.
package leaf

import (
	"fmt"
	"strings"
)

// Size is inlined.
func Size(s string) int { return len(s) + 1 }

// Word is too large for that.
func Word(name string) string {
	fields := strings.Fields(name)
	if len(fields) == 0 {
		fields = []string{"nobody"}
	}
	for i, f := range fields {
		fields[i] = strings.ToUpper(f[:1]) + f[1:]
	}
	return fmt.Sprintf("leaf %s %d", strings.Join(fields, "-"), Size(name))
}
`

const widePart = `// Package PART uses the leaf.
package PART

import (
	"strings"

	"example.com/wide/leaf"
)

// Name is known to others.
const Name = "PART"

// Counter counts.
type Counter struct {
	n    int
	name string
}

// Add counts one more.
func (c *Counter) Add() int {
	c.n++
	return c.n + leaf.Size(c.name)
}

// Describe tells of the leaf.
func Describe(n int) string {
	c := &Counter{n: SEED, name: Name}
	for range n % 3 {
		c.Add()
	}
	if c.Add() > 100 {
		return "many " + strings.Repeat("x", n%5)
	}
	return leaf.Word("PART of many")
}
`
