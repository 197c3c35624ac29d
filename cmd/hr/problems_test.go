package main

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/hotreflex/hr/internal/event"
)

func TestProblems(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	for _, test := range []struct {
		name, text string
		want       []event.Problem
	}{
		{"none", "go: updates to go.mod needed; to update it:\n\tgo mod tidy\n", nil},
		{"one", "# example.com/app/greet\ngreet/greet.go:10:9: undefined: hullo", []event.Problem{
			{Package: "example.com/app/greet", File: at("greet/greet.go"), Line: 10, Col: 9, Message: "undefined: hullo"},
		}},
		{"more lines", "# example.com/app\n./main.go:3:12: not enough arguments in call to f\n\thave ()\n\twant (int)\n./main.go:4:2: declared and not used: x\n", []event.Problem{
			{Package: "example.com/app", File: at("main.go"), Line: 3, Col: 12, Message: "not enough arguments in call to f\nhave ()\nwant (int)"},
			{Package: "example.com/app", File: at("main.go"), Line: 4, Col: 2, Message: "declared and not used: x"},
		}},
		{"two packages", "# a\na/a.go:1:1: x\n# b [b.test]\nb/b.go:2:2: y", []event.Problem{
			{Package: "a", File: at("a/a.go"), Line: 1, Col: 1, Message: "x"}, {Package: "b", File: at("b/b.go"), Line: 2, Col: 2, Message: "y"},
		}},
		{"no package, no column", "main.go:4: package nowhere is not in std", []event.Problem{{File: at("main.go"), Line: 4, Message: "package nowhere is not in std"}}},
		{"above and absolute", "# a\n../lib/x.go:1:2: y\n" + at("z.go") + ":3:4: w", []event.Problem{
			{Package: "a", File: filepath.Join(filepath.Dir(dir), "lib", "x.go"), Line: 1, Col: 2, Message: "y"}, {Package: "a", File: at("z.go"), Line: 3, Col: 4, Message: "w"},
		}},
		{"cut short", "# a\nx.go:1:2: y\nx.go:1:2: too many errors\ttab\n", []event.Problem{{Package: "a", File: at("x.go"), Line: 1, Col: 2, Message: "y"}, {Package: "a", File: at("x.go"), Line: 1, Col: 2, Message: "too many errors\ttab"}}},
		{"a tab of nobody", "# a\ntoo many errors\n\tx\n", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := problems(test.text, dir); !reflect.DeepEqual(got, test.want) {
				t.Errorf("%+v", got)
			}
		})
	}
}
