package edits

import (
	"fmt"
	"go/ast"
	"go/token"
	"strconv"
	"strings"
)

// This file edits the insides of functions.

// stringsIn returns the string literals in bodies that can be longer or shorter:
// not struct tags, which stand outside of expressions.
func stringsIn(s *source) []*ast.BasicLit {
	tags := map[*ast.BasicLit]bool{}
	ast.Inspect(s.file, func(n ast.Node) bool {
		if f, ok := n.(*ast.Field); ok && f.Tag != nil {
			tags[f.Tag] = true
		}
		return true
	})
	return inBodies(s, func(l *ast.BasicLit) bool {
		return l.Kind == token.STRING && len(l.Value) > 3 && l.Value[0] == '"' && !tags[l] && !strings.Contains(l.Value, `\`)
	})
}

func bodyConstant(e *editor) bool {
	s, lit, ok := pick(e, func(s *source) []*ast.BasicLit {
		return append(stringsIn(s), inBodies(s, func(l *ast.BasicLit) bool { return l.Kind == token.INT && len(l.Value) < 6 })...)
	})
	if !ok {
		return false
	}
	value := lit.Value
	if lit.Kind == token.INT {
		n, err := strconv.Atoi(value)
		if err != nil {
			return false
		}
		value = strconv.Itoa(n + 1)
	} else {
		value = value[:len(value)-1] + fmt.Sprintf(`%d"`, e.id%10)
	}
	e.write(s.rel, s.with(lit.Pos(), lit.End(), value))
	return e.say("%s: %s becomes %s", s.rel, lit.Value, value)
}

func bodyLogic(e *editor) bool {
	s, cond, ok := pick(e, func(s *source) []*ast.IfStmt {
		return inBodies(s, func(i *ast.IfStmt) bool { return i.Cond != nil })
	})
	if ok && e.r.IntN(2) == 0 {
		e.write(s.rel, s.with(cond.Cond.Pos(), cond.Cond.End(), "!("+s.of(cond.Cond)+")"))
		return e.say("%s: a condition is negated", s.rel)
	}
	return e.intoBody("a loop", "for judge%[1]d := range 3 {\n\t\tif judge%[1]d > %[1]d {\n\t\t\tbreak\n\t\t}\n\t}\n")
}

// intoBody puts a statement at the start of a function.
func (e *editor) intoBody(what, statement string) bool {
	s, f, ok := pick(e, (*source).funcs)
	if !ok {
		return false
	}
	e.write(s.rel, s.insert(f.Body.Lbrace+1, "\n\t"+fmt.Sprintf(statement, e.id)))
	return e.say("%s: %s in %s", s.rel, what, f.Name.Name)
}

func bodyClosure(e *editor) bool {
	return e.intoBody("a closure", "judge%[1]d := func(n int) int { return n + %[1]d }\n\t_ = judge%[1]d(1)\n")
}

// bodyInlinable edits a function that is short enough to be part of what its
// importers are compiled against.
func bodyInlinable(e *editor) bool {
	s, f, ok := pick(e, func(s *source) []*ast.FuncDecl {
		var out []*ast.FuncDecl
		for _, f := range s.funcs() {
			if len(f.Body.List) == 1 && f.Name.IsExported() {
				if _, ok := f.Body.List[0].(*ast.ReturnStmt); ok {
					out = append(out, f)
				}
			}
		}
		return out
	})
	if !ok {
		return false
	}
	e.write(s.rel, s.insert(f.Body.List[0].Pos(), fmt.Sprintf("if %d > len(\"judge\") {\n\t\tprintln(%d)\n\t}\n\t", e.id%4, e.id)))
	return e.say("%s: the short function %s is longer", s.rel, f.Name.Name)
}

func comment(e *editor) bool {
	s, f, ok := pick(e, (*source).funcs)
	if !ok {
		return false
	}
	if e.r.IntN(2) == 0 { // at the end of a line, so that all lines stay where they are
		e.write(s.rel, s.insert(s.lineEnd(f.Body.Lbrace), fmt.Sprintf(" // comment %d", e.id)))
	} else {
		e.write(s.rel, s.insert(f.Body.Lbrace+1, fmt.Sprintf("\n\t// comment %d", e.id)))
	}
	return e.say("%s: a comment in %s", s.rel, f.Name.Name)
}

func lineAbove(e *editor) bool {
	s, ok := e.anyFile()
	if !ok {
		return false
	}
	e.write(s.rel, s.insert(s.afterImports(), strings.Repeat("\n", 1+e.id%3)))
	return e.say("%s: empty lines above all declarations", s.rel)
}

func broken(e *editor) bool {
	s, f, ok := pick(e, (*source).funcs)
	if !ok {
		return false
	}
	bad := choose(e, []string{"\n\tif {", "\n\t)", "\n\tx := \"open", "}"})
	e.write(s.rel, s.insert(f.Body.Lbrace+1, bad))
	return e.say("%s: %s does not parse", s.rel, f.Name.Name)
}

func typeError(e *editor) bool {
	return e.intoBody("a type error", "var judge%[1]d int = \"%[1]d\"\n\t_ = judge%[1]d\n")
}

// noinline puts a directive above a function, or takes it away.
func noinline(e *editor) bool {
	s, f, ok := pick(e, (*source).funcs)
	if !ok {
		return false
	}
	if i := strings.Index(s.text, "//go:noinline\n"); i >= 0 && e.r.IntN(2) == 0 {
		e.write(s.rel, s.text[:i]+s.text[i+len("//go:noinline\n"):])
		return e.say("%s: a function may be inlined again", s.rel)
	}
	e.write(s.rel, s.insert(f.Pos(), "//go:noinline\n"))
	return e.say("%s: %s is not inlined", s.rel, f.Name.Name)
}

func lineDirective(e *editor) bool {
	s, f, ok := pick(e, (*source).funcs)
	if !ok {
		return false
	}
	e.write(s.rel, s.insert(s.lineStart(f.Pos()), fmt.Sprintf("//line judge%d.go:%d\n", e.id%7, 1+e.id%1000)))
	return e.say("%s: a //line directive above %s", s.rel, f.Name.Name)
}

func generateText(e *editor) bool {
	s, ok := e.anyFile()
	if !ok {
		return false
	}
	e.write(s.rel, s.insert(s.afterImports(), fmt.Sprintf("\n\n//go:generate echo %d\n", e.id)))
	return e.say("%s: //go:generate", s.rel)
}
