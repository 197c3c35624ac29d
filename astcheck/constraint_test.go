package astcheck

import (
	"go/build/constraint"
	"math/rand/v2"
	"strings"
	"testing"
)

func mentionedTags(expr string) []string {
	return strings.FieldsFunc(expr, func(r rune) bool { return strings.ContainsRune(" !&|()", r) })
}

// holds evaluates an expression as go/build does for linux/amd64 with cgo and
// some tags.
func holds(t *testing.T, expr string, tags []string) bool {
	t.Helper()
	if expr == "" {
		return true
	}
	x, err := constraint.Parse("//go:build " + expr)
	if err != nil {
		t.Fatalf("constraint %q: %v", expr, err)
	}
	return x.Eval(func(tag string) bool {
		switch tag {
		case "linux", "amd64", "unix", "gc", "cgo":
			return true
		case "boringcrypto":
			tag = "goexperiment.boringcrypto" // its old name
		}
		for _, have := range tags {
			if have == tag {
				return true
			}
		}
		return false
	})
}

// TestConstraintAgreesWithGoBuild makes random tops of files, sensible and
// not, and compares which lines count.
func TestConstraintAgreesWithGoBuild(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	lines := []string{
		"//go:build a", "//go:build !b", "//go:build a && c", "//go:build", "//go:build (a", "//go:buildx a",
		"// +build a", "// +build a,!b c", "//+build b", "// +build", "// +build (", "//  +build c", "  // +build a",
		" //go:build b", "\t// text", "// text", "", "", "", "  ", "/* x */", "/*", "*/", "/* x", "x */",
		"/* x */ //go:build a", "/**/ // +build a", "/* */ /*", "//go:build c\r", "// +build c\r", "/* a */ package p",
		"//", "//go:build a // b", "// +build a // b", "*/ package p", "/*/", "//go:build\ta",
	}
	n := 8_000
	if testing.Short() {
		n = 2_000
	}
	seen := map[string]int{}
	for range n {
		var b strings.Builder
		if r.IntN(10) == 0 {
			b.WriteString("\uFEFF")
		}
		for range r.IntN(7) {
			b.WriteString(lines[r.IntN(len(lines))] + "\n")
		}
		b.WriteString("package p\n")
		src := b.String()
		expr, err := fileConstraint([]byte(src))
		for _, tags := range [][]string{nil, {"a"}, {"b"}, {"a", "b"}, {"a", "c"}, {"b", "c"}, {"a", "b", "c"}} {
			p, goErr := goBuild([]byte(src), tags)
			bad := goErr != nil && (strings.Contains(goErr.Error(), "multiple //go:build") || strings.Contains(goErr.Error(), "parsing //go:build line"))
			if bad != (err != nil) {
				t.Fatalf("seed %d: %q: constraint %q, error %v, go/build says %v", seed, src, expr, err, goErr)
			}
			if bad {
				seen["refused"]++
				break
			}
			if len(p.InvalidGoFiles) > 0 {
				seen["not Go"]++
				break
			}
			if in, want := len(p.GoFiles) > 0, holds(t, expr, tags); in != want {
				t.Fatalf("seed %d: %q: constraint %q holds with %q: %v, go/build says %v", seed, src, expr, tags, want, in)
			}
			if expr != "" {
				seen["constrained"]++
			}
		}
	}
	for _, kind := range []string{"refused", "constrained", "not Go"} {
		if seen[kind] < n/50 {
			t.Errorf("only %d cases %s: the test tries too little", seen[kind], kind)
		}
	}
}
