//go:build stress

package front

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	mutantSteps = flag.String("mutant-steps", "150000", "steps of the simulation for each mutant")
	mutantEvery = flag.Int("mutant-every", 1, "try each nth mutant only")
)

// heart are the files whose code decides; the rest of the package performs.
var heart = []string{"on.go", "save.go", "mend.go", "reply.go", "start.go"}

// mutant is one small wrong change of the heart.
type mutant struct {
	file string
	line int
	what string
	text []byte // of the file
}

// mutantLimit is long enough for one simulation; a mutant that never ends is
// caught, too.
const mutantLimit = 2 * time.Minute

// TestMutants makes every mutant mechanically and wants the simulation to catch
// nine of ten: each act dropped, each condition negated, each assignment of a
// field skipped. The survivors are listed.
func TestMutants(t *testing.T) {
	var all []mutant
	for _, name := range heart {
		all = append(all, mutantsOf(t, name)...)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	var survivors []string
	tried, caught := 0, 0
	next := make(chan mutant)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for m := range next {
				dead := m.caught(t)
				mu.Lock()
				tried++
				if dead {
					caught++
				} else {
					survivors = append(survivors, fmt.Sprintf("%s:%d: %s", m.file, m.line, m.what))
				}
				mu.Unlock()
			}
		})
	}
	for i, m := range all {
		if i%*mutantEvery == 0 {
			next <- m
		}
	}
	close(next)
	wg.Wait()
	slices.Sort(survivors)
	t.Logf("%d of %d mutants caught; survivors:\n%s", caught, tried, strings.Join(survivors, "\n"))
	if caught*10 < tried*9 {
		t.Errorf("%d of %d mutants caught, 90 %% wanted", caught, tried)
	}
}

// caught reports whether the simulation fails with the mutant in place. One that
// does not compile is no mutant, and counts as caught by the compiler.
func (m mutant) caught(t *testing.T) bool {
	dir := t.TempDir()
	file := filepath.Join(dir, m.file)
	here, err := filepath.Abs(m.file)
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {here: file}})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{file: m.text, filepath.Join(dir, "overlay.json"): overlay} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), mutantLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "test", "-vet=off", "-count=1", "-overlay="+filepath.Join(dir, "overlay.json"), "-run", "^(TestSim|TestStories)$", ".", "-steps="+*mutantSteps)
	return cmd.Run() != nil
}

// mutantsOf makes the mutants of one file: the source is printed anew with one
// node changed, and the change undone.
func mutantsOf(t *testing.T, name string) []mutant {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var out []mutant
	add := func(n ast.Node, what string) {
		var text bytes.Buffer
		if err := format.Node(&text, fset, f); err != nil {
			t.Fatal(err)
		}
		out = append(out, mutant{name, fset.Position(n.Pos()).Line, what, text.Bytes()})
	}
	negate := func(at *ast.Expr, n ast.Node) {
		old := *at
		*at = &ast.UnaryExpr{Op: token.NOT, X: &ast.ParenExpr{X: old}}
		add(n, "condition negated")
		*at = old
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt:
			negate(&n.Cond, n)
		case *ast.SwitchStmt:
			if n.Tag == nil {
				for _, c := range n.Body.List {
					for i := range c.(*ast.CaseClause).List {
						negate(&c.(*ast.CaseClause).List[i], c)
					}
				}
			}
		case *ast.BlockStmt:
			dropEach(n.List, add)
		case *ast.CaseClause:
			dropEach(n.Body, add)
		}
		return true
	})
	return out
}

// dropEach drops one statement after the other: a call whose result nobody
// takes, or an assignment of a field.
func dropEach(list []ast.Stmt, add func(ast.Node, string)) {
	for i, old := range list {
		what := ""
		switch s := old.(type) {
		case *ast.ExprStmt:
			what = "call dropped"
		case *ast.AssignStmt:
			if _, field := s.Lhs[0].(*ast.SelectorExpr); field {
				what = "assignment skipped"
			}
		}
		if what == "" {
			continue
		}
		list[i] = &ast.EmptyStmt{Implicit: true}
		add(old, what)
		list[i] = old
	}
}
