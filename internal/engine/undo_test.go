package engine_test

import (
	"testing"

	"github.com/hotreflex/hr/internal/engine"
	"github.com/hotreflex/hr/internal/order"
)

// TestUndoCompilesNothing takes back an edit that had everything above compiled
// anew: the archives of before are those that the go command made.
func TestUndoCompilesNothing(t *testing.T) {
	e := newEngine(t)
	dir := extract(t, "testdata/mixed.txtar")
	job := order.Job{Dir: dir, Env: testEnv(), Linker: "go", Flags: []string{"-buildvcs=false", "-ldflags=-s -w"}, Package: []string{"./cmd/mixed"}}
	prog := judge(t, e, job, nil, edit{name: "first build", fallback: true})
	add := edit{name: "exported function", file: "gen/gen.go", old: "func Small", new: "// Bye is new.\nfunc Bye() string { return \"bye\" }\n\nfunc Small"}
	undo := edit{name: "undo", file: add.file, old: add.new, new: add.old}
	for _, c := range []struct {
		edit     edit
		compiles bool
	}{{add, true}, {undo, false}, {add, false}, {undo, false}} {
		apply(t, dir, c.edit)
		target, err := e.Resolve(t.Context(), job)
		if err != nil {
			t.Fatal(err)
		}
		next, out, err := e.Build(t.Context(), target, prog, engine.Hooks{})
		if err != nil {
			t.Fatal(err)
		}
		if (out.Compiled > 1) != c.compiles || !c.compiles && out.Compiled > 0 {
			t.Errorf("%s: compiled %d packages: %+v", c.edit.name, out.Compiled, out.Packages)
		}
		prog = next
	}
}
