package main

import (
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// The benchmarks see hr from outside, as users do.
func TestImportsNothingOfOurs(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			if strings.HasPrefix(spec.Path.Value, `"github.com/hotreflex/`) {
				t.Errorf("%s imports %s", f.Name(), spec.Path.Value)
			}
		}
	}
}
