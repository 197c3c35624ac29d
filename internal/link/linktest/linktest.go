// Package linktest makes link requests out of Go source, for tests.
//
// It asks the go command to compile a program and turns its answer into a
// link.Request. It links nothing itself. Only tests import it.
package linktest

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/hotreflex/hr/internal/link"
	"github.com/hotreflex/hr/internal/testdir"
)

// Module is a directory with a go.mod whose programs can be linked.
type Module struct {
	Dir string
	Env []string // added to the environment of the go command
	Hot func(path string) bool
}

// New writes files (name to content) into a fresh module called "app". The
// modules of most tests lie at one place, so that the go command compiles what
// several of them have only once.
func New(t testing.TB, files map[string]string) *Module {
	t.Helper()
	m := &Module{Dir: testdir.Named(t, "link")}
	if _, ok := files["go.mod"]; !ok {
		m.Write(t, "go.mod", "module app\n\ngo 1.24\n")
	}
	for name, text := range files {
		m.Write(t, name, text)
	}
	return m
}

// Write replaces one file of the module.
func (m *Module) Write(t testing.TB, name, text string) {
	t.Helper()
	path := filepath.Join(m.Dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Remove deletes one file of the module.
func (m *Module) Remove(t testing.TB, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(m.Dir, filepath.FromSlash(name))); err != nil {
		t.Fatal(err)
	}
}

// Request compiles the program at pattern and returns its link, with -s -w.
// Packages of the main module are hot unless m.Hot decides otherwise.
func (m *Module) Request(t testing.TB, pattern string) link.Request {
	t.Helper()
	r, err := m.TryRequest(pattern)
	if err != nil {
		t.Fatalf("%s: %v", pattern, err)
	}
	r.Out = filepath.Join(t.TempDir(), "prog")
	return r
}

// TryRequest is Request for source that may not compile, without an Out.
func (m *Module) TryRequest(pattern string) (link.Request, error) {
	env, err := m.env()
	if err != nil {
		return link.Request{}, err
	}
	goroot := env["GOROOT"]
	r := link.Request{
		State:  m.Dir + " " + pattern,
		Tool:   filepath.Join(env["GOTOOLDIR"], "link"),
		GOROOT: goroot, GoVersion: env["GOVERSION"],
		GOOS: env["GOOS"], GOARCH: env["GOARCH"],
		Flags: []string{"-s", "-w", "-buildmode=exe"},
		Env:   append(os.Environ(), m.Env...),
		Dir:   m.Dir,
	}
	out, err := m.Go("list", "-deps", "-export", "-buildvcs=false", "-json=ImportPath,Name,Export,Standard,Module,DepOnly,DefaultGODEBUG", pattern)
	if err != nil {
		return r, err
	}
	dec := json.NewDecoder(bytes.NewReader(out))
	for {
		var p struct {
			ImportPath, Name, Export, DefaultGODEBUG string
			Standard, DepOnly                        bool
			Module                                   *struct{ Main bool }
		}
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			return r, err
		}
		if p.Export == "" {
			continue // unsafe
		}
		hot := p.Module != nil && p.Module.Main
		if m.Hot != nil {
			hot = m.Hot(p.ImportPath)
		}
		pkg := link.Package{Path: p.ImportPath, File: p.Export, Hot: hot}
		if !p.DepOnly && p.Name == "main" {
			r.Main = pkg
			r.Main.Hot = true
			if p.DefaultGODEBUG != "" {
				r.Flags = append(r.Flags, "-X=runtime.godebugDefault="+p.DefaultGODEBUG)
			}
			continue
		}
		r.Packages = append(r.Packages, pkg)
	}
	return r, nil
}

func (m *Module) env() (map[string]string, error) {
	out, err := m.Go("env", "-json", "GOROOT", "GOTOOLDIR", "GOVERSION", "GOOS", "GOARCH")
	if err != nil {
		return nil, err
	}
	env := map[string]string{}
	return env, json.Unmarshal(out, &env)
}

// Go runs the go command in the module and returns its standard output.
func (m *Module) Go(args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = m.Dir
	cmd.Env = append(append(os.Environ(), "GOFLAGS=", "GOWORK=off", "PWD="+m.Dir), m.Env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, &goError{args, stderr.String(), err}
	}
	return out, nil
}

type goError struct {
	args   []string
	stderr string
	err    error
}

func (e *goError) Error() string {
	return "go " + strings.Join(e.args, " ") + ": " + e.err.Error() + "\n" + e.stderr
}

// Supported reports whether the incremental linker has this machine as a target.
func Supported() bool { return runtime.GOOS == "linux" && runtime.GOARCH == "amd64" }
