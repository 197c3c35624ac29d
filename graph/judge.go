package graph

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hotreflex/hr/astcheck"
	"github.com/hotreflex/hr/tags"
)

// Change is the judgement of one path: what its present content means for the
// program of the snapshot.
type Change struct {
	Path    string           `json:"path"`
	Verdict astcheck.Verdict `json:"verdict"`
	Why     string           `json:"why"`
	// Package is the import path of the package that must be compiled, or
	// listed anew for a header verdict; empty if no single one is meant.
	Package string `json:"package,omitempty"`
	// Reload tells that the whole closure must be listed anew: the change is in
	// go.mod or its kin.
	Reload bool `json:"reload,omitempty"`
	// File is the input's new state, nil if it is gone or no input.
	File *File `json:"file,omitempty"`
	// Syntax is the error of a broken file.
	Syntax *astcheck.SyntaxError `json:"syntax,omitempty"`
}

// sameContent is the reason of verdict same for a file that was only touched.
const sameContent = "same content"

// Touched tells that the file has the very content that the snapshot knows.
func (c Change) Touched() bool { return c.Verdict == astcheck.Same && c.Why == sameContent }

// Judge reads path and compares it with what the snapshot knows.
func (s *Snapshot) Judge(path string) Change {
	if f := s.Inputs[path]; f != nil {
		return s.judgeModuleFile(f)
	}
	if p := s.OfFile(path); p != nil {
		return p.judgeInput(p.Files[path])
	}
	if s.index.absent[path] {
		if StampOf(path).Gone {
			return Change{Path: path, Verdict: astcheck.Unused, Why: "does not exist"}
		}
		return Change{Path: path, Verdict: astcheck.Header, Why: filepath.Base(path) + " appeared", Reload: true}
	}
	return s.judgeStranger(path)
}

// judgeModuleFile judges go.mod and its kin: any difference reloads.
func (s *Snapshot) judgeModuleFile(f *File) Change {
	c := Change{Path: f.Path}
	data, stamp, err := readFile(f.Path)
	switch {
	case err != nil:
		c.Verdict, c.Reload = astcheck.Header, true
		c.Why = filepath.Base(f.Path) + " is gone"
	case HashOf(data) == f.Hash:
		c.Verdict, c.Why = astcheck.Same, sameContent
		c.File = &File{Path: f.Path, Kind: Module, Stamp: stamp, Hash: f.Hash}
	default:
		c.Verdict, c.Reload = astcheck.Header, true
		c.Why = filepath.Base(f.Path) + " changed"
		c.File = &File{Path: f.Path, Kind: Module, Stamp: stamp, Hash: HashOf(data)}
	}
	return c
}

// judgeInput judges a file that the package reads.
func (p *Package) judgeInput(f *File) Change {
	c := Change{Path: f.Path, Package: p.Path}
	data, stamp, err := readFile(f.Path)
	if err != nil {
		c.Verdict = astcheck.Header
		if stamp.Gone {
			c.Why = "file removed"
		} else {
			c.Why = fmt.Sprintf("file cannot be read: %v", err)
		}
		return c
	}
	c.File = &File{Path: f.Path, Kind: f.Kind, Stamp: stamp, Hash: HashOf(data), Check: f.Check}
	if c.File.Hash == f.Hash {
		c.Verdict, c.Why = astcheck.Same, sameContent
		return c
	}
	switch f.Kind {
	case Embed:
		c.Verdict, c.Why = astcheck.Body, "embedded file changed"
		return c
	case Other:
		c.Verdict, c.Why = astcheck.Body, filepath.Ext(f.Path)+" file changed"
		return c
	}
	if f.Check == nil {
		c.Verdict, c.Why = astcheck.Header, "could not be read before"
		return c
	}
	check, verdict, why := astcheck.Next(*f.Check, f.Path, data)
	c.Verdict, c.Why = verdict, why
	if verdict == astcheck.Broken {
		c.Syntax, c.File = check.Error, nil
		return c
	}
	c.File.Check = &check
	return c
}

// judgeStranger judges a path that is no input: is it about to become one?
func (s *Snapshot) judgeStranger(path string) Change {
	c := Change{Path: path, Verdict: astcheck.Unused}
	dir, name := filepath.Split(path)
	dir = filepath.Clean(dir)
	stamp := StampOf(path)
	for _, p := range s.index.lists[dir] {
		for _, l := range p.Listings {
			if l.Dir == dir && l.All && !stamp.Gone && p.embeds(path) {
				c.Verdict, c.Package, c.Why = astcheck.Header, p.Path, "new file under an embed pattern"
				return c
			}
		}
	}
	p := s.index.byDir[dir]
	switch {
	case p == nil && filepath.Ext(name) == ".go":
		if strings.HasSuffix(name, "_test.go") {
			c.Why = "test file"
		} else {
			c.Why = "its package is not imported by " + s.Target
		}
		return c
	case p == nil:
		c.Why = "not an input of " + s.Target
		return c
	}
	// The name alone may decide: then the content does not matter.
	if d := s.Context.File(name, "", false); filepath.Ext(name) == ".go" && !d.In {
		c.Why = d.Why
		return c
	}
	if stamp.Gone {
		if _, err := os.Lstat(path); err == nil && filepath.Ext(name) == ".go" {
			c.Verdict, c.Package = astcheck.Header, p.Path
			c.Why = "file cannot be read: a link to nothing"
			return c
		}
		c.Why = "was not an input"
		return c
	}
	if filepath.Ext(name) != ".go" {
		d := s.Context.File(name, "", false)
		if d.In && listed(name) {
			c.Verdict, c.Package, c.Why = astcheck.Header, p.Path, "new file"
		} else {
			c.Why = why(d.Why, "not a file the build reads")
		}
		return c
	}
	data, _, err := readFile(path)
	if err != nil {
		c.Verdict, c.Package = astcheck.Header, p.Path
		c.Why = fmt.Sprintf("file cannot be read: %v", err)
		return c
	}
	check := astcheck.Check(path, data)
	if d := s.Context.File(name, check.Constraint, check.Cgo != ""); !d.In {
		c.Why = d.Why
		return c
	}
	if check.Package == tags.IgnoredPackage {
		c.Why = "package " + tags.IgnoredPackage + " is never built"
		return c
	}
	if check.Error != nil {
		c.Verdict, c.Package, c.Why, c.Syntax = astcheck.Broken, p.Path, "does not parse", check.Error
		return c
	}
	c.Verdict, c.Package, c.Why = astcheck.Header, p.Path, "new file"
	return c
}

func why(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// Worst returns the verdict that decides for a whole batch: broken over header
// over body over same over unused.
func Worst(changes []Change) astcheck.Verdict {
	worst := astcheck.Unused
	for _, c := range changes {
		if c.Verdict > worst {
			worst = c.Verdict
		}
	}
	return worst
}
