package graph

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
	// Waits tells that the go command would wait for ever on the file: a pipe.
	Waits bool `json:"waits,omitempty"`
	// File is the input's new state, nil if it is gone or no input.
	File *File `json:"file,omitempty"`
	// Syntax is the error of a broken file.
	Syntax *astcheck.SyntaxError `json:"syntax,omitempty"`
}

// sameContent is the reason of verdict same for a file that was only touched.
const sameContent = "same content"

// Touched tells that the file has the very content that the snapshot knows.
func (c Change) Touched() bool { return c.Verdict == astcheck.Same && c.Why == sameContent }

// Judge reads path and compares it with what the snapshot knows. Of several
// packages that it means something to it tells of the one to which it means
// most.
func (s *Snapshot) Judge(path string) Change {
	own := func(c Change) int {
		if p := s.OfFile(path); p != nil && p.Path == c.Package {
			return 1
		}
		return 0
	}
	return slices.MaxFunc(s.judge(path), func(a, b Change) int {
		return cmp.Or(int(a.Verdict)-int(b.Verdict), own(a)-own(b))
	})
}

// judge returns a Change for each package that path could mean something to, at
// least one.
func (s *Snapshot) judge(path string) []Change {
	if f := s.Inputs[path]; f != nil {
		return []Change{s.judgeModuleFile(f)}
	}
	if s.index.absent[path] {
		if StampOf(path).Gone {
			return []Change{{Path: path, Verdict: astcheck.Unused, Why: "does not exist"}}
		}
		return []Change{{Path: path, Verdict: astcheck.Header, Why: filepath.Base(path) + " appeared", Reload: true, Waits: isPipe(path)}}
	}
	changes := append(s.judgeEmbedDir(path), s.judgeStranger(path)...)
	for _, p := range s.Readers(path) {
		if !slices.ContainsFunc(changes, func(c Change) bool { return c.Package == p.Path }) {
			changes = append(changes, p.judgeInput(p.Files[path]))
		}
	}
	if len(changes) == 0 {
		changes = append(changes, s.judgeForeign(path))
	}
	return changes
}

// judgeModuleFile judges go.mod and its kin: any difference reloads.
func (s *Snapshot) judgeModuleFile(f *File) Change {
	c := Change{Path: f.Path}
	hash, stamp, err := hashFile(f.Path)
	switch {
	case stamp.Gone:
		c.Verdict, c.Reload = astcheck.Header, true
		c.Why = filepath.Base(f.Path) + " is gone"
	case err != nil:
		c.unreadable(err)
		c.Reload = true
	case hash == f.Hash:
		c.Verdict, c.Why = astcheck.Same, sameContent
		c.File = &File{Path: f.Path, Kind: Module, Stamp: stamp, Hash: f.Hash}
	default:
		c.Verdict, c.Reload = astcheck.Header, true
		c.Why = filepath.Base(f.Path) + " changed"
		c.File = &File{Path: f.Path, Kind: Module, Stamp: stamp, Hash: hash}
	}
	return c
}

// judgeInput judges a file that the package reads.
func (p *Package) judgeInput(f *File) Change {
	c := Change{Path: f.Path, Package: p.Path}
	var (
		data  []byte
		hash  string
		stamp Stamp
		err   error
	)
	if f.Kind == Go {
		data, stamp, err = readFile(f.Path)
		hash = HashOf(data)
	} else { // its content is the compiler's alone
		hash, stamp, err = hashFile(f.Path)
	}
	if err != nil {
		c.unreadable(err)
		switch {
		case stamp.Gone && stamp.Link:
			c.Why = "file cannot be read: a link to nothing"
		case stamp.Gone:
			c.Why = "file removed"
		case f.Kind == Embed:
			c.Waits = false // it is refused before it is opened
		}
		return c
	}
	return p.judgeContent(f, hash, data, stamp)
}

// judgeData judges what was read of a file.
func (p *Package) judgeData(f *File, data []byte, stamp Stamp) Change {
	return p.judgeContent(f, HashOf(data), data, stamp)
}

// judgeContent judges a file by the hash of its content; of a Go file data is
// needed as well.
func (p *Package) judgeContent(f *File, hash string, data []byte, stamp Stamp) Change {
	c := Change{Path: f.Path, Package: p.Path}
	c.File = &File{Path: f.Path, Kind: f.Kind, Embedded: f.Embedded, Stamp: stamp, Hash: hash, Check: f.Check}
	if f.IsEmbedded() && stamp.Link != f.Stamp.Link {
		c.Verdict, c.Why, c.File = astcheck.Header, "is a link now, which is not embedded", nil
		if !stamp.Link {
			c.Why = "is no link any more"
		}
		return c
	}
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
	if f.Embedded && verdict == astcheck.Same {
		c.Verdict, c.Why = astcheck.Body, "embedded file changed"
	}
	if verdict == astcheck.Broken {
		c.Syntax, c.File = check.Error, nil
		return c
	}
	c.File.Check = &check
	return c
}

// unreadable makes a header verdict of a file that cannot be read: the go command
// knows what that means, unless it would wait.
func (c *Change) unreadable(err error) {
	c.Verdict, c.Why = astcheck.Header, fmt.Sprintf("file cannot be read: %v", err)
	if kind := kindOf(c.Path); kind != "" && errors.Is(err, ErrNotRegular) {
		c.Why = "is " + kind + " now"
	}
	if c.Waits = isPipe(c.Path); c.Waits {
		c.Why = "is a named pipe: go build would wait for ever"
	}
}

// judgeStranger judges a path for the packages that do not read it so far, or
// only embed it: is it about to become an input, or one of their sources?
func (s *Snapshot) judgeStranger(path string) []Change {
	var changes []Change
	dir := filepath.Dir(path)
	own := s.index.byDir[dir]
	if exists(path) {
		for _, p := range s.index.lists[dir] {
			listsAll := slices.ContainsFunc(p.Listings, func(l *Listing) bool { return l.Dir == dir && l.All })
			if listsAll && p.Files[path] == nil && p.embeds(path) {
				changes = append(changes, Change{Path: path, Verdict: astcheck.Header, Package: p.Path, Why: "new file under an embed pattern"})
				if p == own {
					own = nil // it is listed anew
				}
			}
		}
	}
	if own == nil || own.Files[path] != nil && own.Files[path].Kind != Embed {
		return changes
	}
	return append(changes, s.judgeNew(own, path))
}

// judgeForeign tells why a path outside of all packages means nothing. A header
// may be included from there, but the go command knows a package by the files of
// its own directory (cmd/go/internal/work/exec.go, buildActionID).
func (s *Snapshot) judgeForeign(path string) Change {
	c := Change{Path: path, Verdict: astcheck.Unused, Why: "not an input of " + s.Target}
	switch {
	case strings.HasSuffix(path, "_test.go"):
		c.Why = "test file"
	case filepath.Ext(path) == ".go":
		c.Why = "its package is not imported by " + s.Target
	case tags.SourceExt(filepath.Ext(path)):
		c.Why += "; go build does not see it either, for it is in the directory of no package"
	}
	return c
}

// judgeNew tells whether a path in the directory of p is a source file of p that
// p does not have so far.
func (s *Snapshot) judgeNew(p *Package, path string) Change {
	c := Change{Path: path, Verdict: astcheck.Unused}
	name := filepath.Base(path)
	// The name alone may decide: then the content does not matter.
	d := s.Context.File(name, "", false)
	if filepath.Ext(name) == ".go" && !d.In {
		c.Why = d.Why
		return c
	}
	if StampOf(path).Gone {
		if _, err := os.Lstat(path); err == nil && filepath.Ext(name) == ".go" {
			c.Verdict, c.Package = astcheck.Header, p.Path
			c.Why = "file cannot be read: a link to nothing"
			return c
		}
		c.Why = "was not an input"
		return c
	}
	if isDir(path) {
		c.Why = "a directory"
		return c
	}
	if filepath.Ext(name) != ".go" {
		if d.In && tags.Source(name) {
			c.Verdict, c.Package, c.Why = astcheck.Header, p.Path, "new file"
			if c.Waits = isPipe(path); c.Waits {
				c.Why = "is a named pipe: go build would wait for ever"
			}
		} else {
			c.Why = why(d.Why, "not a file the build reads")
		}
		return c
	}
	data, cut, err := readHead(path)
	if err != nil {
		c.Package = p.Path
		c.unreadable(err)
		return c
	}
	check := astcheck.Check(path, data)
	if cut && s.Context.File(name, check.Constraint, false).In && check.Package != tags.IgnoredPackage {
		if fi, err := os.Stat(path); err == nil && fi.Size() > maxHead {
			c.Verdict, c.Package, c.Why = astcheck.Header, p.Path, "new file"
			return c // the go command says whether the rest of it is in order
		}
		if data, _, err = readFile(path); err != nil {
			c.Package = p.Path
			c.unreadable(err)
			return c
		}
		check = astcheck.Check(path, data)
	}
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
