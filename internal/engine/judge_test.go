package engine_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/hotreflex/hr/benchmarks/judge/same"
	"github.com/hotreflex/hr/cache"
	"github.com/hotreflex/hr/internal/engine"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/testdir"
)

// edit is one step of a judged sequence.
type edit struct {
	name string
	file string // relative to the module; a directory is made if it ends in /
	old  string // text to replace; "" replaces the file
	new  string // "" with old "" removes the file
	also []edit // saved in the same moment
	// fallback tells that go build is expected to do the work.
	fallback bool
}

// TestJudge applies edits to a copy of the example and compares each artifact
// with that of go build, byte for byte once build ids are zeroed. These are the
// edits for which the number of packages matters; TestJudgeEdits has the others.
func TestJudge(t *testing.T) {
	dir := copyModule(t, "../../examples/ginsvc")
	flags := []string{"-buildvcs=false", "-ldflags=-s -w", "-tags=dev"}
	e := newEngine(t)
	// Without cgo, as the other tests of this program compile its hundred packages;
	// TestJudgeEdits has some.
	env := append(testEnv(), "CGO_ENABLED=0")
	job := order.Job{Dir: dir, Env: env, Flags: flags, Package: []string{"./cmd/ginsvc"}, Linker: "go"}
	prog := judge(t, e, job, nil, edit{name: "first build", fallback: true})
	for _, ed := range []edit{
		{name: "constant in a body", file: "internal/greet/greet.go", old: `"Hello"`, new: `"Hi"`},
		{name: "new exported function", file: "internal/greet/greet.go", old: "// Hello greets", new: "// Bye is new.\nfunc Bye() string { return \"bye\" }\n\n// Hello greets"},
		{name: "unknown std import and init", file: "internal/greet/low.go", new: "package greet\n\nimport \"hash/adler32\"\n\nvar sum uint32\n\nfunc init() { sum = adler32.Checksum([]byte(\"x\")) }\n"},
		{name: "main", file: "cmd/ginsvc/main.go", old: "listening on", new: "listens on"},
	} {
		prog = judge(t, e, job, prog, ed)
	}
}

// TestJudgeEdits judges the kinds of edits one by one, each on top of the last.
func TestJudgeEdits(t *testing.T) {
	dir := extract(t, "testdata/mixed.txtar")
	flags := []string{"-buildvcs=false", "-ldflags=-s -w", "-tags=dev"}
	e := newEngine(t)
	job := order.Job{Dir: dir, Env: testEnv(), Flags: flags, Package: []string{"./cmd/mixed"}, Linker: "go"}
	prog := judge(t, e, job, nil, edit{name: "first build", fallback: true})
	for _, ed := range []edit{
		{name: "line above declarations", file: "sibling/sibling.go", old: "// Name is", new: "// A line.\n\n// Name is"},
		{name: "comment only", file: "sibling/sibling.go", old: "// A line.", new: "// Another line,\n// and one more."},
		{name: "new exported function", file: "gen/gen.go", old: "func Small", new: "// Bye is new.\nfunc Bye() string { return \"bye\" }\n\nfunc Small"},
		{name: "closure and unexported function", file: "gen/gen.go", old: `return "bye"`, new: `return func() string { return low() }()`},
		{name: "new file", file: "gen/low.go", new: "package gen\n\nfunc low() string { return \"low\" }\n"},
		{name: "known import", file: "gen/low.go", new: "package gen\n\nimport \"strconv\"\n\nfunc low() string { return strconv.Itoa(7) }\n"},
		{name: "std import with C code", file: "gen/low.go", new: "package gen\n\nimport \"net\"\n\nfunc low() string { return net.IPv4(1, 2, 3, 4).String() }\n", fallback: true},
		{name: "unknown std import and init", file: "gen/low.go", new: "package gen\n\nimport \"hash/adler32\"\n\nvar sum uint32\n\nfunc init() { sum = adler32.Checksum([]byte(\"x\")) }\n\nfunc low() string { return string(rune(sum)) }\n"},
		{name: "embedded file", file: "files/static/style.css", new: "body { color: red }\n"},
		{name: "embedded file added", file: "files/static/more.css", new: "p { color: blue }\n"},
		{name: "embedded file removed", file: "files/static/more.css"},
		{name: "debug directive in main", file: "cmd/mixed/main.go", old: "package main", new: "//go:debug http2client=0\npackage main", fallback: true},
		{name: "constraint lets a file out", file: "gen/mode_dev.go", old: "//go:build dev", new: "//go:build dev && never"},
		{name: "and another one in", file: "gen/mode_default.go", old: "//go:build !dev", new: "//go:build dev || !dev"},
		{name: "go.mod comment", file: "go.mod", old: "module ", new: "// a comment\nmodule ", fallback: true},
	} {
		prog = judge(t, e, job, prog, ed)
	}
}

// TestJudgeContexts judges a few edits in build contexts that change how
// packages are compiled, all in one engine.
func TestJudgeContexts(t *testing.T) {
	e := newEngine(t)
	for _, c := range []struct {
		name  string
		env   []string
		flags []string
		short bool // the standard library must be compiled anew for it
	}{
		{name: "plain"},
		{name: "trimpath", flags: []string{"-trimpath", "-ldflags=-w"}},
		{name: "debug", flags: []string{"-gcflags=all=-N -l"}, short: true},
		{name: "main gcflags", flags: []string{"-gcflags=-N"}},
		{name: "race", flags: []string{"-race"}, short: true},
		{name: "windows", env: []string{"GOOS=windows", "GOARCH=amd64"}, short: true},
		{name: "darwin", env: []string{"GOOS=darwin", "GOARCH=amd64"}, short: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.short && testing.Short() {
				t.Skip("-short: the standard library is compiled anew for this context")
			}
			dir := extract(t, "testdata/mixed.txtar")
			job := order.Job{
				Dir: dir, Env: append(testEnv(), c.env...), Linker: "go",
				Flags: append([]string{"-buildvcs=false"}, c.flags...), Package: []string{"./cmd/mixed"},
			}
			prog := judge(t, e, job, nil, edit{name: "first build", fallback: true})
			for _, ed := range []edit{
				{name: "sibling module", file: "sibling/sibling.go", old: `"sibling"`, new: `"brother"`, also: []edit{
					{name: "generic body", file: "gen/gen.go", old: "s += v", new: "s += v + v"}}},
				{name: "inlinable body", file: "gen/gen.go", old: "x + 1", new: "x + 2", also: []edit{
					{name: "method added", file: "shape/shape.go", new: "package shape\n\ntype Shape interface {\n\tArea() float64\n\tEdges() int\n}\n\ntype Square struct{ Side float64 }\n\nfunc (s Square) Area() float64 { return s.Side * s.Side }\nfunc (s Square) Edges() int { return 4 }\n"}}},
				{name: "method missing", file: "shape/shape.go", old: "func (s Square) Edges() int { return 4 }\n", new: ""},
				{name: "method back", file: "shape/shape.go", old: "func (s Square) Area", new: "func (s Square) Edges() int { return 5 }\nfunc (s Square) Area", also: []edit{
					{name: "embedded file", file: "files/hello.txt", new: "hello again\n"}}},
				{name: "Go file of a package with assembly", file: "asm/asm.go", old: "func Add", new: "var X = 1\n\nfunc Add", fallback: true},
			} {
				prog = judge(t, e, job, prog, ed)
			}
		})
	}
}

// TestJudgeAssembly judges edits that only the go command can build.
func TestJudgeAssembly(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the assembly of the module is for amd64")
	}
	e := newEngine(t)
	dir := extract(t, "testdata/mixed.txtar")
	job := order.Job{Dir: dir, Env: testEnv(), Linker: "go", Flags: []string{"-buildvcs=false"}, Package: []string{"./cmd/mixed"}}
	prog := judge(t, e, job, nil, edit{name: "first build", fallback: true})
	prog = judge(t, e, job, prog, edit{name: "assembly", file: "asm/asm_amd64.s", old: "RET", new: "INCQ ret+16(FP)\n\tRET", fallback: true})
	prog = judge(t, e, job, prog, edit{name: "Go beside it", file: "gen/gen.go", old: "x + 1", new: "x + 3"})
	prog = judge(t, e, job, prog, edit{name: "go line", file: "go.mod", old: "go 1.25", new: "go 1.24", fallback: true})
	judge(t, e, job, prog, edit{name: "and Go again", file: "gen/gen.go", old: "x + 3", new: "x + 4"})
}

func extract(t *testing.T, archive string) string {
	t.Helper()
	a, err := txtar.ParseFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	fsys, err := txtar.FS(a)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(testdir.New(t), "module")
	if err := os.CopyFS(dir, fsys); err != nil {
		t.Fatal(err)
	}
	return dir
}

func judge(t *testing.T, e *engine.Engine, job order.Job, last *engine.Program, ed edit) *engine.Program {
	t.Helper()
	apply(t, job.Dir, ed)
	ctx := context.Background()
	var prog *engine.Program
	var out *order.Outcome
	target, err := e.Resolve(ctx, job)
	if err == nil {
		prog, out, err = e.Build(ctx, target, last, engine.Hooks{})
	}
	want := filepath.Join(t.TempDir(), "want")
	text, wantErr := goBuild(job, want)
	if (err != nil) != (wantErr != nil) {
		t.Fatalf("%s: hr says %v, go build says %v\n%s", ed.name, err, wantErr, text)
	}
	if err != nil {
		if err.Error() != text {
			t.Errorf("%s: messages differ:\nhr:       %s\ngo build: %s", ed.name, err, text)
		}
		return last
	}
	if (out.Fallback != "") != ed.fallback {
		t.Errorf("%s: fallback is %q", ed.name, out.Fallback)
	}
	sameAs(t, out.Artifact.Path, want, fmt.Sprintf("%s (%+v)", ed.name, out.Packages))
	return prog
}

func apply(t *testing.T, dir string, ed edit) {
	t.Helper()
	for _, other := range ed.also {
		apply(t, dir, other)
	}
	if ed.file == "" {
		return
	}
	path := filepath.Join(dir, ed.file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	text := ed.new
	switch {
	case strings.HasSuffix(ed.file, "/"):
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		return
	case ed.old != "":
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(data), ed.old) {
			t.Fatalf("%s: %s does not contain %q", ed.name, ed.file, ed.old)
		}
		text = strings.Replace(string(data), ed.old, ed.new, 1)
	case ed.new == "" && ed.old == "":
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func goBuild(job order.Job, out string) (text string, err error) {
	args := append([]string{"build", "-o", out}, job.Flags...)
	cmd := exec.Command("go", append(args, job.Package...)...)
	cmd.Dir = job.Dir
	cmd.Env = append(job.Env, "PWD="+job.Dir)
	said, err := cmd.CombinedOutput()
	return strings.TrimRight(string(said), "\n"), err
}

// sameAs wants an artifact to be the program of go build.
func sameAs(t *testing.T, artifact, want, what string) {
	t.Helper()
	switch ok, err := same.Programs(artifact, want); {
	case err != nil:
		t.Fatalf("%s: %v", what, err)
	case !ok:
		t.Errorf("%s: the artifact is not that of go build", what)
	}
}

func newEngine(t *testing.T) *engine.Engine {
	t.Helper()
	store, err := cache.Open(cache.Options{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	archives, err := cache.OpenFiles(cache.FilesOptions{Dirs: []string{t.TempDir()}, Budget: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	bins, err := cache.OpenFiles(cache.FilesOptions{Dirs: []string{t.TempDir()}, Budget: 1 << 30, NeedExec: true})
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return engine.New(engine.Options{Store: store, Archives: archives, Bins: bins, Self: []string{self, "toolexec"}, Log: t.Logf})
}

func copyModule(t *testing.T, from string) string {
	t.Helper()
	dir := filepath.Join(testdir.New(t), "module")
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// testEnv is the environment of a test's go commands: the user's own caches of
// modules and archives are read, no flags of the user's are. The tools live for
// half a second: they need not collect garbage.
func testEnv() []string {
	return append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOENV=off", "GOTOOLCHAIN=local", "GOGC=400")
}

// TestMain is the recorder of the link when the go command calls it.
func TestMain(m *testing.M) {
	if engine.Recording(os.Args) {
		os.Exit(engine.RunToolexec(os.Args))
	}
	os.Exit(m.Run())
}
