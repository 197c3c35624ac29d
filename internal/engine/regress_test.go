package engine_test

import (
	"os"
	"testing"

	"github.com/hotreflex/hr/internal/engine"
	"github.com/hotreflex/hr/internal/order"
)

// TestJudgeFound repeats what the random judge once found, each on a module of
// its own: every line of the table was a difference to go build.
func TestJudgeFound(t *testing.T) {
	for _, c := range []struct {
		name  string
		edits []edit
	}{
		{"the go line asks for a newer toolchain", []edit{
			{name: "new", file: "go.mod", old: "go 1.25", new: "go 1.99", fallback: true},
			{name: "back", file: "go.mod", old: "go 1.99", new: "go 1.25"},
		}},
		{"default.pgo appears", []edit{
			{name: "new", file: "cmd/mixed/default.pgo", new: profile(t), fallback: true},
			{name: "body", file: "gen/gen.go", old: "x + 1", new: "x + 2", fallback: true},
			{name: "gone", file: "cmd/mixed/default.pgo", fallback: true},
			{name: "body again", file: "gen/gen.go", old: "x + 2", new: "x + 3"},
		}},
		{"hidden files and empty directories are embedded", []edit{
			{name: "patterns", file: "files/files.go", new: "package files\n\nimport \"embed\"\n\n//go:embed *.txt\nvar FS embed.FS\n\n//go:embed all:all\nvar All embed.FS\n\n//go:embed hello.txt\nvar Hello string\n"},
			{name: "first", file: "files/all/first", new: "first\n"},
			{name: "empty directory", file: "files/all/below/"},
			{name: "and a file in it", file: "files/all/below/second", new: "second\n"},
			{name: "hidden, by a wildcard", file: "files/.hidden.txt", new: "hidden\n"},
			{name: "hidden, by all:", file: "files/all/.hidden", new: "hidden\n"},
			{name: "means nothing", file: "files/.hidden.swp", new: "hidden\n"},
		}},
		{"a package embeds its own source", []edit{
			{name: "patterns", file: "files/files.go", new: "package files\n\nimport \"embed\"\n\n//go:embed *.txt *.go\nvar FS embed.FS\n\n//go:embed hello.txt\nvar Hello string\n"},
			{name: "new file", file: "files/more.go", new: "package files\n\nvar More = 1\n"},
			{name: "body", file: "files/more.go", old: "More = 1", new: "More = 2"},
			{name: "comment", file: "files/more.go", old: "package files\n", new: "package files\n\n// A comment.\n"},
			{name: "import", file: "files/more.go", old: "package files\n", new: "package files\n\nimport _ \"strings\"\n"},
			{name: "constraint lets it out", file: "files/more.go", old: "package files", new: "//go:build never\n\npackage files"},
			{name: "edited outside", file: "files/more.go", old: "More = 2", new: "More = 3"},
			{name: "and in again", file: "files/more.go", old: "//go:build never\n\n", new: ""},
			{name: "test file", file: "files/more_test.go", new: "package files\n\nvar Tested = 1\n"},
			{name: "edited", file: "files/more_test.go", old: "Tested = 1", new: "Tested = 2"},
			{name: "gone", file: "files/more.go"},
		}},
		{"a package embeds another one", []edit{
			{name: "patterns", file: "files/files.go", new: "package files\n\nimport (\n\t\"embed\"\n\n\t_ \"example.com/mixed/files/all\"\n)\n\n//go:embed *.txt\nvar FS embed.FS\n\n//go:embed all:all\nvar All embed.FS\n\n//go:embed hello.txt\nvar Hello string\n"},
			{name: "the other", file: "files/all/all.go", new: "package all\n\nimport \"embed\"\n\n//go:embed *\nvar FS embed.FS\n"},
			{name: "text for both", file: "files/all/both.txt", new: "both\n"},
			{name: "edited", file: "files/all/both.txt", old: "both", new: "both of them"},
			{name: "source for both", file: "files/all/more.go", new: "package all\n\nvar More = 1\n"},
			{name: "body", file: "files/all/more.go", old: "More = 1", new: "More = 2"},
			{name: "comment", file: "files/all/more.go", old: "package all\n", new: "package all\n\n// A comment.\n"},
			{name: "import", file: "files/all/more.go", old: "package all\n", new: "package all\n\nimport _ \"strings\"\n"},
			{name: "text gone", file: "files/all/both.txt"},
			{name: "source gone", file: "files/all/more.go"},
		}},
		{"a constraint excludes the only file", []edit{
			{name: "gone", file: "gen/gen.go", old: "package gen", new: "//go:build never\n\npackage gen"},
			{name: "back", file: "gen/gen.go", old: "//go:build never\n\n", new: ""},
			{name: "body", file: "gen/gen.go", old: "x + 1", new: "x + 2"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEngine(t)
			dir := extract(t, "testdata/mixed.txtar")
			job := order.Job{Dir: dir, Env: testEnv(), Linker: "go", Flags: []string{"-buildvcs=false", "-ldflags=-s -w"}, Package: []string{"./cmd/mixed"}}
			prog := judge(t, e, job, nil, edit{name: "first build", fallback: true})
			for _, ed := range c.edits {
				prog = judge(t, e, job, prog, ed)
			}
		})
	}
}

// profile is one that makes a difference in any program.
func profile(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../../benchmarks/judge/edits/sample.pprof")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestJudgeMachines builds for two machines with one engine: a package without
// imports once got the archive of the other one.
func TestJudgeMachines(t *testing.T) {
	e := newEngine(t)
	dir := extract(t, "testdata/machines.txtar")
	var jobs []order.Job
	var progs []*engine.Program
	for _, arch := range []string{"amd64", "386"} {
		job := order.Job{Dir: dir, Env: append(testEnv(), "GOOS=linux", "CGO_ENABLED=0", "GOARCH="+arch), Linker: "go", Flags: []string{"-buildvcs=false"}, Package: []string{"."}}
		jobs = append(jobs, job)
		progs = append(progs, judge(t, e, job, nil, edit{name: "first build for " + arch, fallback: true}))
	}
	apply(t, dir, edit{name: "constant", file: "leaf/leaf.go", old: "n + 1", new: "n + 2"})
	for i, job := range jobs {
		judge(t, e, job, progs[i], edit{name: "constant, job " + job.Env[len(job.Env)-1]})
	}
}
