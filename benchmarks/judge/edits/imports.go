package edits

import (
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// This file edits imports.

// A package of the standard library and something that it exports, for an
// import that is used.
var (
	knownStd   = []string{"strings.ToUpper", "fmt.Sprint", "errors.New", "strconv.Itoa", "sort.Ints", "time.Now", "sync.OnceFunc"}
	unknownStd = []string{
		"hash/adler32.Checksum", "container/ring.New", "encoding/ascii85.MaxEncodedLen", "text/tabwriter.NewWriter",
		"index/suffixarray.New", "hash/fnv.New32", "encoding/csv.NewReader", "net/textproto.TrimString", "math/cmplx.Abs", "go/version.Lang",
	}
)

// importing adds an import with a name of its own and a use of it.
func (e *editor) importing(what, use string) bool {
	s, ok := e.anyFile()
	if !ok {
		return false
	}
	i := strings.LastIndex(use, ".")
	text := s.insert(s.file.Name.End(), fmt.Sprintf("\n\nimport judge%d %q", e.id, use[:i]))
	e.write(s.rel, text+fmt.Sprintf("\nvar _ = judge%d%s\n", e.id, use[i:]))
	return e.say("%s: %s %s", s.rel, what, use[:i])
}

func importKnown(e *editor) bool { return e.importing("import of", choose(e, knownStd)) }

func importStd(e *editor) bool { return e.importing("first import of", choose(e, unknownStd)) }

// importModule imports a package of a required module that the program may not
// have yet.
func importModule(e *editor) bool {
	paths := e.modulePackages()
	if len(paths) == 0 {
		return false
	}
	s, ok := e.anyFile()
	if !ok {
		return false
	}
	p := choose(e, paths)
	e.write(s.rel, s.insert(s.file.Name.End(), fmt.Sprintf("\n\nimport _ %q", p)))
	return e.say("%s: import of %s", s.rel, p)
}

// modulePackages lists packages of the modules that go.mod requires and the
// module cache holds.
func (e *editor) modulePackages() []string {
	var out []string
	for _, m := range e.required() {
		root := moduleDir(m)
		filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err != nil {
				return nil
			}
			name := d.Name()
			if d.IsDir() && path != root && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "internal" || name == "testdata" || name == "cmd" || len(out) > 400) {
				return filepath.SkipDir
			}
			if !d.IsDir() && strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
				rel, _ := filepath.Rel(root, filepath.Dir(path))
				p := m.path
				if rel != "." {
					p += "/" + filepath.ToSlash(rel)
				}
				if !slices.Contains(out, p) {
					out = append(out, p)
				}
			}
			return nil
		})
	}
	return out
}

func importSpecs(s *source) []*ast.ImportSpec { return s.file.Imports }

func importRemoved(e *editor) bool {
	s, spec, ok := pick(e, importSpecs)
	if !ok {
		return false
	}
	text := s.with(s.lineStart(spec.Pos()), s.lineEnd(spec.End()), "")
	for _, d := range s.file.Decls { // "import" and its path on one line
		if g, is := d.(*ast.GenDecl); is && g.Tok == token.IMPORT && !g.Lparen.IsValid() && g.Specs[0] == ast.Spec(spec) {
			text = s.with(g.Pos(), g.End(), "")
		}
	}
	e.write(s.rel, text)
	return e.say("%s: no import of %s", s.rel, spec.Path.Value)
}

// plainImports are those without a name of their own whose package is used by
// the last element of its path.
func plainImports(s *source) []*ast.ImportSpec {
	return slices.DeleteFunc(slices.Clone(s.file.Imports), func(i *ast.ImportSpec) bool {
		return i.Name != nil || len(usesOf(s, importName(i))) == 0
	})
}

func importName(i *ast.ImportSpec) string {
	p := strings.Trim(i.Path.Value, "\"`")
	return p[strings.LastIndex(p, "/")+1:]
}

// usesOf returns the selectors whose operand has that name.
func usesOf(s *source, name string) []*ast.SelectorExpr {
	var out []*ast.SelectorExpr
	ast.Inspect(s.file, func(n ast.Node) bool {
		if x, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := x.X.(*ast.Ident); ok && id.Name == name && id.Obj == nil {
				out = append(out, x)
			}
		}
		return true
	})
	slices.SortFunc(out, func(a, b *ast.SelectorExpr) int { return int(a.Pos() - b.Pos()) })
	return out
}

func importRenamed(e *editor) bool {
	s, spec, ok := pick(e, plainImports)
	if !ok {
		return false
	}
	name := fmt.Sprintf("judge%d", e.id)
	e.write(s.rel, e.requalify(s, spec, name+" ", func(x *ast.SelectorExpr) (token.Pos, token.Pos, string) {
		return x.X.Pos(), x.X.End(), name
	}))
	return e.say("%s: %s is imported as %s", s.rel, spec.Path.Value, name)
}

func importDot(e *editor) bool {
	s, spec, ok := pick(e, plainImports)
	if !ok {
		return false
	}
	e.write(s.rel, e.requalify(s, spec, ". ", func(x *ast.SelectorExpr) (token.Pos, token.Pos, string) {
		return x.X.Pos(), x.Sel.Pos(), ""
	}))
	return e.say("%s: a dot import of %s", s.rel, spec.Path.Value)
}

// requalify puts a name before an import and changes every use of it.
func (e *editor) requalify(s *source, spec *ast.ImportSpec, before string, change func(*ast.SelectorExpr) (token.Pos, token.Pos, string)) string {
	text := s.text
	for _, x := range slices.Backward(usesOf(s, importName(spec))) {
		from, to, with := change(x)
		text = text[:s.at(from)] + with + text[s.at(to):]
	}
	at := s.at(spec.Path.Pos())
	return text[:at] + before + text[at:]
}

func importBlank(e *editor) bool {
	s, ok := e.anyFile()
	if !ok {
		return false
	}
	use := choose(e, slices.Concat(knownStd, unknownStd))
	p := use[:strings.LastIndex(use, ".")]
	e.write(s.rel, s.insert(s.file.Name.End(), fmt.Sprintf("\n\nimport _ %q", p)))
	return e.say("%s: a blank import of %s", s.rel, p)
}
