package main

import (
	"path/filepath"
	"reflect"
	"testing"
)

func TestProblems(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	for _, test := range []struct {
		name, text string
		want       []problem
	}{
		{"none", "go: updates to go.mod needed; to update it:\n\tgo mod tidy\n", nil},
		{"one", "# example.com/app/greet\ngreet/greet.go:10:9: undefined: hullo", []problem{
			{"example.com/app/greet", at("greet/greet.go"), 10, 9, "undefined: hullo"},
		}},
		{"more lines", "# example.com/app\n./main.go:3:12: not enough arguments in call to f\n\thave ()\n\twant (int)\n./main.go:4:2: declared and not used: x\n", []problem{
			{"example.com/app", at("main.go"), 3, 12, "not enough arguments in call to f\nhave ()\nwant (int)"},
			{"example.com/app", at("main.go"), 4, 2, "declared and not used: x"},
		}},
		{"two packages", "# a\na/a.go:1:1: x\n# b [b.test]\nb/b.go:2:2: y", []problem{
			{"a", at("a/a.go"), 1, 1, "x"}, {"b", at("b/b.go"), 2, 2, "y"},
		}},
		{"no package, no column", "main.go:4: package nowhere is not in std", []problem{{"", at("main.go"), 4, 0, "package nowhere is not in std"}}},
		{"above and absolute", "# a\n../lib/x.go:1:2: y\n" + at("z.go") + ":3:4: w", []problem{
			{"a", filepath.Join(filepath.Dir(dir), "lib", "x.go"), 1, 2, "y"}, {"a", at("z.go"), 3, 4, "w"},
		}},
		{"cut short", "# a\nx.go:1:2: y\nx.go:1:2: too many errors\ttab\n", []problem{{"a", at("x.go"), 1, 2, "y"}, {"a", at("x.go"), 1, 2, "too many errors\ttab"}}},
		{"a tab of nobody", "# a\ntoo many errors\n\tx\n", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := problems(test.text, dir); !reflect.DeepEqual(got, test.want) {
				t.Errorf("%+v", got)
			}
		})
	}
}
