//go:build unix

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"testing"
)

func TestFindCompile(t *testing.T) {
	const (
		other   = `/go/tool/compile -o $WORK/b009/_pkg_.a -p a/b/leaf -importcfg $WORK/b009/importcfg -pack ./b/leaf/leaf.go`
		right   = `/go/tool/compile -o $WORK/b002/_pkg_.a -trimpath "$WORK/b002=>" -p a/leaf -pack ./leaf/a.go ./leaf/leaf.go`
		settled = `GOARCH='386' ` + right
	)
	argv := []string{"/go/tool/compile", "-o", "/my tmp/b002/_pkg_.a", "-trimpath", "/my tmp/b002=>", "-p", "a/leaf", "-pack", "./leaf/a.go", "./leaf/leaf.go"}
	tests := []struct {
		name  string
		lines []string
		want  compileCommand
	}{
		{"plain", []string{"WORK=/my tmp", other, right}, compileCommand{"/src", []string{"PWD=/src"}, argv}},
		{"directory", []string{"WORK=/my tmp", "cd /real/src", right}, compileCommand{"/real/src", []string{"PWD=/real/src"}, argv}},
		{"variable", []string{"WORK=/my tmp", settled}, compileCommand{"/src", []string{"PWD=/src", "GOARCH=386"}, argv}},
		{"other words", []string{"WORK=/my tmp", "cp ./leaf/leaf.go compile", "it's compile ./leaf/leaf.go", right}, compileCommand{"/src", []string{"PWD=/src"}, argv}},
		{"none", []string{"WORK=/my tmp", other}, compileCommand{}},
	}
	for _, test := range tests {
		var lines []line
		for _, text := range test.lines {
			lines = append(lines, line{text: text})
		}
		got, err := findCompile(lines, "/src", "leaf/leaf.go")
		if !reflect.DeepEqual(got, test.want) || (err != nil) != (test.want.argv == nil) {
			t.Errorf("%s: %+v, %v, want %+v", test.name, got, err, test.want)
		}
	}
}

// What is timed must be the compile of the edit that was saved just before.
func TestCompileAloneCompilesTheEdit(t *testing.T) {
	root := t.TempDir()
	dir, scratch := filepath.Join(root, "my source"), filepath.Join(root, "my scratch")
	if err := os.Mkdir(scratch, 0o755); err != nil {
		t.Fatal(err)
	}
	err := writeFiles(dir, map[string]string{
		"go.mod":       "module example.com/small\n\ngo 1.24\n",
		"main.go":      "package main\n\nimport \"example.com/small/leaf\"\n\nfunc main() { println(leaf.Word()) }\n",
		"leaf/leaf.go": "package leaf\n\nfunc Word() string { return \"word\" }\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	p := program{name: "small", pkg: ".", leaf: "body", edits: map[string]edit{
		"body": {file: "leaf/leaf.go", swaps: []string{`"word"`, `"word MARK"`}, path: "/", want: "word MARK"},
	}}
	s := &seat{tool: compileAlone{}, prog: p, src: newSource(dir), scratch: scratch,
		env: append(os.Environ(), "GOFLAGS=", "GOWORK=off")}
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	if err := (compileAlone{}).learn(ctx, s); err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(scratch, "compiled.a")
	if !slices.Contains(s.compile.argv, archive) {
		t.Fatalf("the compiler is not told to write %s: %q", archive, s.compile.argv)
	}
	if !slices.Contains(s.compile.env, "GOARCH="+runtime.GOARCH) {
		t.Errorf("the compiler is not told what the go command knows: %q", s.compile.env)
	}
	for n := firstMark + 1; n < firstMark+3; n++ {
		e := p.edits["body"].marked(n)
		v, err := s.editOnce(ctx, e)
		if err != nil {
			t.Fatal(err)
		}
		if len(v) != 1 || v[unitTime] <= 0 {
			t.Errorf("values %v, want a time alone", v)
		}
		data, err := os.ReadFile(archive)
		if err != nil || !bytes.Contains(data, []byte(e.want)) {
			t.Errorf("%q is not in the archive (%v)", e.want, err)
		}
	}
	broken := edit{file: "leaf/leaf.go", text: "\nfunc (", path: "/", want: "x"}
	if _, err := s.editOnce(ctx, broken); err == nil {
		t.Error("a file that does not parse was compiled")
	}
}
