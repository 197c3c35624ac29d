package main

import (
	"context"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestEditsApply(t *testing.T) {
	for _, p := range programs() {
		if p.name == "caddy" {
			continue // it is not here: the driver downloads it
		}
		t.Run(p.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := p.create(context.Background(), options{root: ".."}, nil, dir); err != nil {
				t.Fatal(err)
			}
			src := newSource(dir)
			for _, name := range slices.Sorted(maps.Keys(p.edits)) {
				e := p.edits[name].marked(firstMark + 1)
				if _, err := src.save(e); err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				data, err := os.ReadFile(src.name(e.file))
				if err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(string(data), "1000001") {
					t.Errorf("%s: the mark is not in %s", name, e.file)
				}
				_, err = parser.ParseFile(token.NewFileSet(), e.file, data, 0)
				if broken := name == "syntax-error"; broken != (err != nil) {
					t.Errorf("%s: parse: %v", name, err)
				}
				if err := src.restore(); err != nil {
					t.Fatal(err)
				}
			}
			if _, ok := p.edits[p.leaf]; !ok {
				t.Errorf("leaf %q is no edit", p.leaf)
			}
		})
	}
}

func TestApplyRefusesOtherFiles(t *testing.T) {
	e := edit{file: "a.go", swaps: []string{"old", "new"}}
	for _, text := range []string{"", "none", "old old"} {
		if _, err := e.apply(text); err == nil {
			t.Errorf("apply to %q: no error", text)
		}
	}
}

// An edit that shows nothing must be the only change to the file that runs.
func TestSaveStartsFromWhatRuns(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("a.go", "x 0")
	src := newSource(dir)
	visible := edit{file: "a.go", swaps: []string{"x 0", "x MARK"}, path: "/", want: "x MARK"}
	comment := edit{file: "a.go", text: " // MARK"}
	added := edit{file: "new_MARK.go", text: "y", path: "/", want: "y"}
	for i, step := range []struct {
		e    edit
		want string
	}{
		{visible, "x 1"}, {comment, "x 1 // 2"}, {comment, "x 1 // 3"}, {visible, "x 4"}, {added, "x 4"},
	} {
		if _, err := src.save(step.e.marked(i + 1)); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(filepath.Join(dir, "a.go")); string(got) != step.want {
			t.Errorf("step %d: a.go is %q, want %q", i, got, step.want)
		}
	}
	if err := src.restore(); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "a.go")); string(got) != "x 0" {
		t.Errorf("restored a.go is %q", got)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "new_*")); len(left) > 0 {
		t.Errorf("restore left %v", left)
	}
}

func TestPlanNamesWhatExists(t *testing.T) {
	known := map[string]program{}
	for _, p := range programs() {
		known[p.name] = p
	}
	for name, jobs := range plan() {
		p, ok := known[name]
		if !ok {
			t.Errorf("program %s does not exist", name)
		}
		for _, j := range jobs {
			if _, ok := p.edits[j.name]; !ok && j.kind != startCase && j.kind != memory && j.kind != loadCase {
				t.Errorf("%s has no edit %s", name, j.name)
			}
			for _, tool := range strings.Fields(j.tools) {
				if !slices.Contains(toolOrder, tool) {
					t.Errorf("%s/%s: tool %s is in no column", name, j.name, tool)
				}
				if tool == (compileAlone{}).name() && (j.kind != editCase || j.name != p.leaf) {
					t.Errorf("%s/%s: %s knows the leaf edit alone", name, j.name, tool)
				}
			}
			if j.kind == editCase && !p.edits[j.name].shows() {
				t.Errorf("%s/%s shows nothing", name, j.name)
			}
		}
	}
}

// Every figure to reach must be one that the plan measures.
func TestTargetsAreMeasured(t *testing.T) {
	measured := func(k key) bool {
		switch k.kind {
		case memory:
			return true // measured with the plan's memory job, under two names
		case linkCase, watchCase:
			return true // by tests of other packages: see figures.go
		}
		return slices.ContainsFunc(plan()[k.program], func(j job) bool {
			return j.kind == k.kind && j.name == k.name && j.takes(k.tool)
		})
	}
	for _, target := range targets() {
		if !measured(target.value) || target.against.tool != "" && !measured(target.against) {
			t.Errorf("%q is not in the plan", target.what)
		}
	}
}

func TestChosen(t *testing.T) {
	jobs := plan()["ginsvc"]
	tests := []struct {
		name  string
		o     options
		prog  string
		cases int
		count int
	}{
		{"all", options{}, "ginsvc", len(jobs), 9},
		{"program", options{only: []string{"ginsvc"}}, "ginsvc", len(jobs), 9},
		{"other program", options{only: []string{"hello"}}, "ginsvc", 0, 0},
		{"one case", options{only: []string{"hello", "ginsvc/leaf-body"}}, "ginsvc", 1, 9},
		{"short", options{short: true}, "ginsvc", 7, 3},
		{"count", options{count: 2}, "ginsvc", len(jobs), 2},
	}
	for _, test := range tests {
		got := chosen(test.o, test.prog, jobs)
		if len(got) != test.cases {
			t.Errorf("%s: %d cases, want %d", test.name, len(got), test.cases)
		}
		if len(got) > 0 && got[0].count != test.count {
			t.Errorf("%s: %d rounds, want %d", test.name, got[0].count, test.count)
		}
	}
	if wanted(options{short: true}, "caddy", "body") {
		t.Error("a short run takes caddy")
	}
}

// A run of nothing would look like a run that found nothing.
func TestUnknownOnly(t *testing.T) {
	for _, word := range []string{"ginsvc", "caddy/body", "link", "reflex"} {
		if _, err := parse([]string{"-only", word}, t.Output()); err != nil {
			t.Error(err)
		}
	}
	for _, word := range []string{"gin", "caddy/leaf-body", "link/body", "ginsvc,wide/bdy"} {
		if _, err := parse([]string{"-only", word}, t.Output()); err == nil {
			t.Errorf("-only=%s measures something", word)
		}
	}
}
