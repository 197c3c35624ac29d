package edits

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strings"
)

// source is a Go file that parses.
type source struct {
	rel  string
	text string
	file *ast.File
	base token.Pos
}

func (e *editor) parse(rel string) *source {
	text, ok := e.read(rel)
	if !ok {
		return nil
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, rel, text, parser.ParseComments)
	if err != nil || f.Name.Name == "_" {
		return nil
	}
	return &source{rel: rel, text: text, file: f, base: f.FileStart}
}

// at is the offset of a position.
func (s *source) at(p token.Pos) int { return int(p - s.base) }

// of is the text of a node.
func (s *source) of(n ast.Node) string { return s.text[s.at(n.Pos()):s.at(n.End())] }

// with returns the text with the part from pos to end replaced.
func (s *source) with(pos, end token.Pos, text string) string {
	return s.text[:s.at(pos)] + text + s.text[s.at(end):]
}

// insert returns the text with more at a position.
func (s *source) insert(pos token.Pos, text string) string { return s.with(pos, pos, text) }

// afterImports is where the first declaration can stand.
func (s *source) afterImports() token.Pos {
	pos := s.file.Name.End()
	for _, d := range s.file.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			pos = g.End()
		}
	}
	return s.lineEnd(pos)
}

// lineEnd is the end of the line of a position.
func (s *source) lineEnd(pos token.Pos) token.Pos {
	if i := strings.IndexByte(s.text[s.at(pos):], '\n'); i >= 0 {
		return pos + token.Pos(i)
	}
	return s.file.FileEnd
}

// lineStart is the start of the line of a position.
func (s *source) lineStart(pos token.Pos) token.Pos {
	return pos - token.Pos(len(s.text[:s.at(pos)])-1-strings.LastIndexByte(s.text[:s.at(pos)], '\n'))
}

// funcs returns the functions with a body.
func (s *source) funcs() []*ast.FuncDecl {
	var out []*ast.FuncDecl
	for _, d := range s.file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
			out = append(out, f)
		}
	}
	return out
}

// structs returns the struct types declared at the top.
func (s *source) structs() []*ast.TypeSpec {
	var out []*ast.TypeSpec
	for _, d := range s.file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		for _, spec := range g.Specs {
			t := spec.(*ast.TypeSpec)
			if _, ok := t.Type.(*ast.StructType); ok && t.TypeParams == nil && t.Assign == 0 {
				out = append(out, t)
			}
		}
	}
	return out
}

// inBodies collects nodes of the functions' bodies.
func inBodies[T ast.Node](s *source, ok func(T) bool) []T {
	var out []T
	for _, f := range s.funcs() {
		ast.Inspect(f.Body, func(n ast.Node) bool {
			if x, is := n.(T); is && ok(x) {
				out = append(out, x)
			}
			return true
		})
	}
	return out
}

// tries bounds how many files are parsed in search of something to edit.
const tries = 60

// pick looks for something in the Go files of the tree, in random order: mostly
// in those that the build reads.
func pick[T any](e *editor, find func(*source) []T) (s *source, found T, ok bool) {
	any := e.r.IntN(20) == 0
	n := 0
	for _, dir := range e.packages() {
		files := e.files(dir, ".go")
		e.r.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
		for _, rel := range files {
			if !any && !e.built(rel) {
				continue
			}
			if n++; n > tries {
				return nil, found, false
			}
			if s := e.parse(rel); s != nil {
				if list := find(s); len(list) > 0 {
					return s, choose(e, list), true
				}
			}
		}
	}
	return nil, found, false
}

// anyFile picks a Go file.
func (e *editor) anyFile() (*source, bool) {
	s, _, ok := pick(e, func(*source) []int { return []int{0} })
	return s, ok
}

// built tells whether the build reads a file, as far as its name and constraint
// tell.
func (e *editor) built(rel string) bool {
	if strings.HasSuffix(rel, "_test.go") {
		return false
	}
	c := build.Default
	c.BuildTags = e.t.Tags
	ok, err := c.MatchFile(e.path(path.Dir(rel)), path.Base(rel))
	return ok && err == nil
}

// packageName is the name that the files of a directory declare, "" if none
// does.
func (e *editor) packageName(dir string) string {
	for _, rel := range e.files(dir, ".go") {
		if s := e.parse(rel); s != nil && e.built(rel) {
			return s.file.Name.Name
		}
	}
	return ""
}

// imports tells whether the file imports a path.
func (s *source) imports(p string) bool {
	return slices.ContainsFunc(s.file.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"`+p+`"` })
}
