package linktest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/hotreflex/hr/internal/link"
)

// Compiler compiles the packages of a module by itself: the go command takes
// longer to find out what to do than the compiler to do it, which is too long
// for tests of thousands of programs. A package is one directory of Go files
// without build constraints and assembler.
type Compiler struct {
	m    *Module
	base link.Request // what does not depend on the source
	lang string
	out  string // where archives go
	std  map[string]stdArchive
	done map[string]string // recipe to archive, or to the compiler's complaint
}

type stdArchive struct {
	Export string
	Deps   []string
}

// NewCompiler prepares for a module whose program in the root directory compiles
// at present. std are the packages of the standard library that any version of
// its source imports; out is a directory for archives.
func NewCompiler(m *Module, out string, std ...string) (*Compiler, error) {
	base, err := m.TryRequest(".")
	if err != nil {
		return nil, err
	}
	c := &Compiler{m: m, base: base, out: out, std: map[string]stdArchive{}, done: map[string]string{}}
	mod, err := os.ReadFile(filepath.Join(m.Dir, "go.mod"))
	if err != nil {
		return nil, err
	}
	if _, rest, ok := strings.Cut(string(mod), "\ngo "); ok {
		c.lang = "go" + strings.TrimSpace(rest)
	}
	list, err := m.Go(append([]string{"list", "-deps", "-export", "-json=ImportPath,Export,Deps"}, std...)...)
	if err != nil {
		return nil, err
	}
	for dec := json.NewDecoder(bytes.NewReader(list)); ; {
		var p struct {
			ImportPath string
			stdArchive
		}
		if err := dec.Decode(&p); err == io.EOF {
			return c, nil
		} else if err != nil {
			return nil, err
		}
		c.std[p.ImportPath] = p.stdArchive
	}
}

// Request compiles what changed and returns the link, without an Out. The error
// is that of source that does not compile.
func (c *Compiler) Request() (link.Request, error) {
	r := c.base
	r.Packages = nil
	w := walk{c: c, archives: map[string]string{}, links: map[string]bool{"runtime": true}}
	main, err := w.compile(".")
	if err != nil {
		return r, err
	}
	r.Main.File = main
	for _, dep := range c.std["runtime"].Deps {
		w.links[dep] = true
	}
	if c.needsCgo(w.links) {
		for _, dep := range append(c.std["runtime/cgo"].Deps, "runtime/cgo") {
			w.links[dep] = true
		}
	}
	for name := range w.links {
		if p, ok := c.std[name]; ok && p.Export != "" {
			r.Packages = append(r.Packages, link.Package{Path: name, File: p.Export})
		}
	}
	for dir, file := range w.archives {
		if dir != "." {
			r.Packages = append(r.Packages, link.Package{Path: c.importPath(dir), File: file, Hot: true})
		}
	}
	slices.SortFunc(r.Packages, func(a, b link.Package) int { return strings.Compare(a.Path, b.Path) })
	return r, nil
}

// needsCgo tells whether a program of these packages has runtime/cgo: the go
// command adds it to what has C code (cmd/go/internal/load, LinkerDeps).
func (c *Compiler) needsCgo(links map[string]bool) bool {
	if !slices.Contains(c.m.Env, "CGO_ENABLED=1") {
		return false
	}
	return links["net"] || links["os/user"] || links["runtime/cgo"]
}

func (c *Compiler) importPath(dir string) string {
	return path.Join(c.base.Main.Path, filepath.ToSlash(dir))
}

// walk is one Request: it goes down the imports.
type walk struct {
	c        *Compiler
	archives map[string]string // by directory; "" while it is under way
	links    map[string]bool   // packages of the standard library
}

func (w *walk) compile(dir string) (string, error) {
	c := w.c
	if have, ok := w.archives[dir]; ok {
		if have == "" {
			return "", fmt.Errorf("%s: import cycle", dir)
		}
		return have, nil
	}
	w.archives[dir] = ""
	files, err := filepath.Glob(filepath.Join(c.m.Dir, dir, "*.go"))
	if err != nil || len(files) == 0 {
		return "", fmt.Errorf("%s: no Go files", dir)
	}
	recipe := sha256.New()
	fmt.Fprintln(recipe, dir)
	imports := map[string]string{} // path to archive
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(recipe, "%s %d\n%s", file, len(text), text)
		f, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ImportsOnly)
		if err != nil {
			return "", err
		}
		for _, spec := range f.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return "", err
			}
			if imports[name], err = w.archive(name); err != nil {
				return "", err
			}
		}
	}
	var cfg strings.Builder
	for _, name := range sortedKeys(imports) {
		if imports[name] != "" {
			fmt.Fprintf(&cfg, "packagefile %s=%s\n", name, imports[name])
		}
	}
	io.WriteString(recipe, cfg.String())
	file, err := c.archive(dir, fmt.Sprintf("%x", recipe.Sum(nil)), cfg.String(), files)
	w.archives[dir] = file
	return file, err
}

// archive is that of an import; the export data of a package of the standard
// library may mention all that it imports, but the compiler needs only itself.
func (w *walk) archive(name string) (string, error) {
	if dir, ok := strings.CutPrefix(name, w.c.base.Main.Path+"/"); ok {
		return w.compile(filepath.FromSlash(dir))
	}
	p, ok := w.c.std[name]
	if !ok {
		return "", fmt.Errorf("package %s is not known", name)
	}
	w.links[name] = true
	for _, dep := range p.Deps {
		w.links[dep] = true
	}
	return p.Export, nil
}

// archive compiles one package unless that was done before.
func (c *Compiler) archive(dir, recipe, cfg string, files []string) (string, error) {
	file, known := c.done[recipe]
	if !known {
		file = filepath.Join(c.out, recipe+".a")
		if said, err := c.run(dir, recipe, file, cfg, files); err != nil {
			file = fmt.Sprintf("compile %s: %v\n%s", dir, err, said)
		}
		c.done[recipe] = file
	}
	if !filepath.IsAbs(file) {
		return "", fmt.Errorf("%s", file)
	}
	return file, nil
}

// run is the command line of cmd/go/internal/work, gc.go.
func (c *Compiler) run(dir, recipe, out, cfg string, files []string) ([]byte, error) {
	importcfg := out + ".importcfg"
	if err := os.WriteFile(importcfg, []byte(cfg), 0o644); err != nil {
		return nil, err
	}
	defer os.Remove(importcfg)
	name := "main"
	if dir != "." {
		name = c.importPath(dir)
	}
	id := recipe[:20] + "/" + recipe[:20] // the content is not known yet
	args := []string{"-o", out, "-trimpath", c.out + "=>", "-p", name, "-lang=" + c.lang, "-complete",
		"-buildid", id, "-goversion", c.base.GoVersion, "-c=2", "-nolocalimports", "-importcfg", importcfg, "-pack"}
	cmd := exec.Command(filepath.Join(filepath.Dir(c.base.Tool), "compile"), append(args, files...)...)
	cmd.Dir = c.m.Dir
	cmd.Env = append(c.base.Env, "PWD="+c.m.Dir)
	return cmd.CombinedOutput()
}

func sortedKeys(m map[string]string) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
