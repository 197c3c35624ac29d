package edits

import (
	"fmt"
	"go/ast"
	"go/token"
	"strings"
)

// This file edits declarations.

// end adds declarations at the end of a file.
func (e *editor) end(what, decls string) bool {
	s, ok := e.anyFile()
	if !ok {
		return false
	}
	return e.append(s, what, decls)
}

func (e *editor) append(s *source, what, decls string) bool {
	e.write(s.rel, strings.TrimRight(s.text, "\n")+"\n\n"+fmt.Sprintf(decls, e.id)+"\n")
	return e.say("%s: %s", s.rel, what)
}

// above adds declarations in front of all others, which moves them.
func (e *editor) above(what, decls string) bool {
	s, ok := e.anyFile()
	if !ok {
		return false
	}
	e.write(s.rel, s.insert(s.afterImports(), "\n\n"+fmt.Sprintf(decls, e.id)))
	return e.say("%s: %s", s.rel, what)
}

func funcUnexported(e *editor) bool {
	return e.above("an unexported function that is called", "func judge%[1]d(n int) int { return n * %[1]d }\n\nvar judgeUse%[1]d = judge%[1]d(2)")
}

func funcExported(e *editor) bool {
	return e.above("an exported function", "// Judge%[1]d is new.\nfunc Judge%[1]d(n int) int { return n + %[1]d }")
}

// signature gives a function one more parameter and its calls one more
// argument, or a parameter that callers need not know of.
func signature(e *editor) bool {
	type target struct{ f *ast.FuncDecl }
	s, t, ok := pick(e, func(s *source) []target {
		var out []target
		for _, f := range s.funcs() {
			if f.Recv != nil || f.Name.Name == "main" || f.Name.Name == "init" || f.Type.TypeParams != nil {
				continue
			}
			out = append(out, target{f: f})
		}
		return out
	})
	if !ok {
		return false
	}
	params := t.f.Type.Params
	variadic := false
	for _, p := range params.List {
		if _, is := p.Type.(*ast.Ellipsis); is || len(p.Names) == 0 {
			variadic = true
		}
	}
	name := t.f.Name.Name
	if t.f.Name.IsExported() && !variadic {
		add := fmt.Sprintf("judge%d ...int", e.id)
		if len(params.List) > 0 {
			add = ", " + add
		}
		e.write(s.rel, s.insert(params.Closing, add))
		return e.say("%s: %s takes more", s.rel, name)
	}
	return e.parameter(s, name)
}

// parameter adds a first parameter to a function and to all its calls in the
// package.
func (e *editor) parameter(s *source, name string) bool {
	dir := dirOf(s.rel)
	changed := 0
	for _, rel := range e.files(dir, ".go") {
		f := e.parse(rel)
		if f == nil || f.file.Name.Name != s.file.Name.Name {
			continue
		}
		type spot struct {
			pos  token.Pos
			text string
		}
		var spots []spot
		ast.Inspect(f.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Recv == nil && n.Name.Name == name {
					text := fmt.Sprintf("judge%d int", e.id)
					if len(n.Type.Params.List) > 0 {
						if len(n.Type.Params.List[0].Names) == 0 {
							text = "int"
						}
						text += ", "
					}
					spots = append(spots, spot{n.Type.Params.Opening + 1, text})
				}
			case *ast.CallExpr:
				if id, ok := n.Fun.(*ast.Ident); ok && id.Name == name {
					text := "0"
					if len(n.Args) > 0 {
						text = "0, "
					}
					spots = append(spots, spot{n.Lparen + 1, text})
				}
			}
			return true
		})
		if len(spots) == 0 {
			continue
		}
		text := f.text
		for i := len(spots) - 1; i >= 0; i-- { // Inspect goes in source order
			at := f.at(spots[i].pos)
			text = text[:at] + spots[i].text + text[at:]
		}
		e.write(rel, text)
		changed++
	}
	return changed > 0 && e.say("%s: %s and its callers have one more parameter", dir, name)
}

func methodAdded(e *editor) bool {
	s, t, ok := pick(e, (*source).structs)
	if !ok {
		return false
	}
	return e.append(s, "a method of "+t.Name.Name, "// Judge%[1]d is new.\nfunc (*"+t.Name.Name+") Judge%[1]d() int { return %[1]d }")
}

// methodRemoved takes a method away; mostly that breaks the program, unless only
// an interface had asked for it.
func methodRemoved(e *editor) bool {
	s, f, ok := pick(e, func(s *source) []*ast.FuncDecl {
		var out []*ast.FuncDecl
		for _, f := range s.funcs() {
			if f.Recv != nil && (e.r.IntN(4) == 0 || strings.HasPrefix(f.Name.Name, "Judge")) {
				out = append(out, f)
			}
		}
		return out
	})
	if !ok {
		return false
	}
	e.write(s.rel, s.with(f.Pos(), f.End(), ""))
	return e.say("%s: the method %s is gone", s.rel, f.Name.Name)
}

func structField(e *editor) bool {
	s, t, ok := pick(e, (*source).structs)
	if !ok {
		return false
	}
	fields := t.Type.(*ast.StructType).Fields
	e.write(s.rel, s.insert(fields.Opening+1, fmt.Sprintf("\n\tJudge%d [%d]int\n", e.id, 1+e.id%3)))
	return e.say("%s: %s has one more field", s.rel, t.Name.Name)
}

// genericText is a file that others of its package could use.
const genericText = `package NAME

// JudgeSum is generic: its body is part of what importers are compiled against.
func JudgeSum[T interface{ ~int | ~string }](list ...T) (sum T) {
	for _, v := range list {
		sum += v
	}
	return sum
}

var judgeSum = JudgeSum(1, 2, 3)
`

// generics returns the generic functions of a file.
func generics(s *source) []*ast.FuncDecl {
	var out []*ast.FuncDecl
	for _, f := range s.funcs() {
		if f.Type.TypeParams != nil && len(f.Type.TypeParams.List) > 0 {
			out = append(out, f)
		}
	}
	return out
}

// addGeneric brings a generic function into a package that has none.
func addGeneric(e *editor) bool {
	for _, dir := range e.packages() {
		rel := dir + "/judge_generic.go"
		if name := e.packageName(dir); name != "" && !e.exists(rel) {
			e.write(rel, strings.ReplaceAll(genericText, "NAME", name))
			return e.say("%s: a generic function", rel)
		}
	}
	return false
}

func genericBody(e *editor) bool {
	s, f, ok := pick(e, generics)
	if !ok {
		return addGeneric(e)
	}
	e.write(s.rel, s.insert(f.Body.Lbrace+1, fmt.Sprintf("\n\tif len(\"judge\") < %d {\n\t\tprintln(%d)\n\t}\n\t", e.id%9, e.id)))
	return e.say("%s: the body of the generic %s", s.rel, f.Name.Name)
}

func genericConstraint(e *editor) bool {
	s, f, ok := pick(e, generics)
	if !ok {
		return addGeneric(e)
	}
	field := f.Type.TypeParams.List[0]
	c := s.of(field.Type)
	if strings.HasPrefix(c, "interface{") && strings.Contains(c, "~int") {
		c = strings.Replace(c, "~int", choose(e, []string{"~int8 | ~int", "~uint16 | ~int"}), 1)
	} else {
		c = "interface{ " + c + " }"
	}
	e.write(s.rel, s.with(field.Type.Pos(), field.Type.End(), c))
	return e.say("%s: the constraint of %s", s.rel, f.Name.Name)
}

func initAdded(e *editor) bool {
	return e.end("an init function", "var judgeInit%[1]d int\n\nfunc init() { judgeInit%[1]d = %[1]d + len(judgeText%[1]d) }\n\nvar judgeText%[1]d = \"x\"")
}

func variableInitialiser(e *editor) bool {
	return e.end("variables with initialisers", "// Judge%[1]d depends on the next one.\nvar Judge%[1]d = judgeFirst%[1]d() + %[1]d\n\nfunc judgeFirst%[1]d() int { return len(judgeMap%[1]d) }\n\nvar judgeMap%[1]d = map[string]int{\"a\": 1, \"b\": %[1]d}")
}

func iotaBlock(e *editor) bool {
	s, spec, ok := pick(e, func(s *source) []ast.Spec {
		var out []ast.Spec
		for _, d := range s.file.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.CONST && g.Lparen.IsValid() && len(g.Specs) > 1 && strings.Contains(s.of(g), "iota") {
				out = append(out, g.Specs[1])
			}
		}
		return out
	})
	if !ok {
		return e.end("an iota block", "// Judge%[1]d and its kin are new.\nconst (\n\tJudge%[1]d = iota * %[1]d\n\tJudge%[1]dB\n\tJudge%[1]dC\n)")
	}
	e.write(s.rel, s.insert(s.lineStart(spec.Pos()), fmt.Sprintf("\tJudge%d\n", e.id)))
	return e.say("%s: one more name in an iota block", s.rel)
}

func typeAlias(e *editor) bool {
	s, t, ok := pick(e, (*source).structs)
	if !ok {
		return false
	}
	if e.r.IntN(3) == 0 { // the type itself becomes an alias of a new one
		e.write(s.rel, s.insert(t.Name.End(), fmt.Sprintf(" = judge%[1]d\n\ntype judge%[1]d", e.id)))
		return e.say("%s: %s is an alias", s.rel, t.Name.Name)
	}
	return e.append(s, "an alias of "+t.Name.Name, "// Judge%[1]d is another name.\ntype Judge%[1]d = "+t.Name.Name+"\n\nvar _ *Judge%[1]d")
}

func linkname(e *editor) bool {
	s, ok := e.anyFile()
	if !ok || s.imports("unsafe") {
		return false
	}
	text := s.insert(s.file.Name.End(), "\n\nimport _ \"unsafe\"")
	if e.r.IntN(4) == 0 { // pulled: without an assembly file there must be a body
		text += fmt.Sprintf("\n//go:linkname judge%[1]d runtime.nanotime\nfunc judge%[1]d() int64\n\nvar judgeTime%[1]d = judge%[1]d()\n", e.id)
	} else {
		text += fmt.Sprintf("\n//go:linkname judge%[1]d example.com/judge.name%[1]d\nfunc judge%[1]d() int64 { return %[1]d }\n\nvar judgeUse%[1]d = judge%[1]d()\n", e.id)
	}
	e.write(s.rel, text)
	return e.say("%s: //go:linkname", s.rel)
}
