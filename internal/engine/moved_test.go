package engine_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hotreflex/hr/internal/engine"
	"github.com/hotreflex/hr/internal/order"
)

// TestSaveAfterGoBuild saves a file when go build has linked the program and go
// list has not read it yet: the artifact must be that of what is there now. The
// module files and the //go:debug lines of main decide how the program is
// linked, which is only learned from go build itself.
func TestSaveAfterGoBuild(t *testing.T) {
	work := append(testEnv(), "GOWORK=")
	for _, c := range []struct {
		name string
		job  order.Job
		save edit
	}{
		{name: "go.work appears", job: order.Job{Env: work}, save: edit{file: "go.work", new: "go 1.26\n\nuse .\n"}},
		{name: "go.mod", job: order.Job{Env: work}, save: edit{file: "go.mod", old: "go 1.25", new: "go 1.26"}},
		{name: "debug directive", job: order.Job{Env: work}, save: edit{file: "main.go", old: "package main", new: "//go:debug panicnil=1\npackage main"}},
		{name: "body", job: order.Job{Env: work}, save: edit{file: "leaf/leaf.go", old: "n + 1", new: "n + 2"}},
		{name: "nothing", job: order.Job{Env: work}},
		{name: "plain, nothing", job: order.Job{Env: work, Plain: true}},
		{name: "plain, body", job: order.Job{Env: work, Plain: true}, save: edit{file: "leaf/leaf.go", old: "n + 1", new: "n + 2"}},
	} {
		for _, known := range []bool{false, true} {
			name := c.name + ", first build"
			if known {
				name = c.name + ", known before"
			}
			t.Run(name, func(t *testing.T) {
				e := newEngine(t)
				job := c.job
				job.Dir, job.Linker, job.Package = extract(t, "testdata/machines.txtar"), "go", []string{"."}
				job.Flags = []string{"-buildvcs=false", "-ldflags=-s -w"}
				target, err := e.Resolve(t.Context(), job)
				if err != nil {
					t.Fatal(err)
				}
				var last *engine.Program
				if known {
					if last, _, err = e.Build(t.Context(), target, nil, engine.Hooks{}); err != nil {
						t.Fatal(err)
					}
					// A build by the go command has to follow.
					apply(t, job.Dir, edit{file: "go.mod", old: "module ", new: "// A comment.\nmodule "})
				}
				if target, err = e.Resolve(t.Context(), job); err != nil {
					t.Fatal(err)
				}
				// Parents of the module are busy, as a temporary directory is.
				if err := os.Mkdir(filepath.Join(filepath.Dir(job.Dir), "busy"), 0o755); err != nil {
					t.Fatal(err)
				}
				saved := 0
				_, out, err := e.Build(t.Context(), target, last, engine.Hooks{Built: func(order.Artifact) {
					if saved++; saved == 1 {
						apply(t, job.Dir, c.save)
						os.Mkdir(filepath.Join(filepath.Dir(job.Dir), "busier"), 0o755)
					}
				}})
				if err != nil || saved != 1 || out.Built != (c.save.file == "") {
					t.Fatalf("%v, a program was shown early %d times, the last one is told of as that: %v", err, saved, out.Built)
				}
				want := filepath.Join(t.TempDir(), "want")
				if text, err := goBuild(job, want); err != nil {
					t.Fatalf("%v\n%s", err, text)
				}
				sameAs(t, out.Artifact.Path, want, c.save.name)
			})
		}
	}
}
