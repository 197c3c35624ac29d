package dialect

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
)

// readBuiltins reads the composite literal of pairs {"name", abi} in
// cmd/internal/goobj/builtinlist.go.
func readBuiltins(file string) ([]Builtin, error) {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("read builtin list: %w", err)
	}
	var list []Builtin
	bad := false
	ast.Inspect(f, func(n ast.Node) bool {
		pair, ok := n.(*ast.CompositeLit)
		if !ok || pair.Type != nil || len(pair.Elts) != 2 {
			return true
		}
		name, ok1 := pair.Elts[0].(*ast.BasicLit)
		abi, ok2 := pair.Elts[1].(*ast.BasicLit)
		if !ok1 || !ok2 {
			bad = true
			return false
		}
		s, err1 := strconv.Unquote(name.Value)
		v, err2 := strconv.Atoi(abi.Value)
		bad = bad || err1 != nil || err2 != nil
		list = append(list, Builtin{s, v})
		return false
	})
	if bad || len(list) == 0 {
		return nil, fmt.Errorf("read builtin list: unknown form of %s", file)
	}
	return list, nil
}

// readIota numbers the constants of the const block that holds first, which
// must be written as one iota sequence without gaps.
func readIota(file, first string) (map[string]int, error) {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("read constants: %w", err)
	}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST || len(g.Specs) == 0 {
			continue
		}
		v := g.Specs[0].(*ast.ValueSpec)
		if v.Names[0].Name != first || len(v.Values) != 1 {
			continue
		}
		base, ok := iotaBase(v.Values[0])
		if !ok {
			break
		}
		numbers := map[string]int{}
		for i, spec := range g.Specs {
			v := spec.(*ast.ValueSpec)
			if len(v.Names) != 1 {
				return nil, fmt.Errorf("read constants: unknown form of %s", file)
			}
			if i > 0 && len(v.Values) != 0 {
				break // derived values, such as R_WEAK, follow the sequence
			}
			numbers[v.Names[0].Name] = base + i
		}
		return numbers, nil
	}
	return nil, fmt.Errorf("read constants: no sequence of %s in %s", first, file)
}

// iotaBase understands "iota" and "N + iota".
func iotaBase(e ast.Expr) (int, bool) {
	switch e := e.(type) {
	case *ast.Ident:
		return 0, e.Name == "iota"
	case *ast.BinaryExpr:
		n, ok := e.X.(*ast.BasicLit)
		id, ok2 := e.Y.(*ast.Ident)
		if !ok || !ok2 || e.Op != token.ADD || id.Name != "iota" {
			return 0, false
		}
		v, err := strconv.Atoi(n.Value)
		return v, err == nil
	}
	return 0, false
}
