package astcheck

import (
	"encoding/json"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"os"
	"reflect"
	"testing"
)

// seeds gives a fuzz target the edge cases of the other tests and real files.
func seeds(f *testing.F, add func(src []byte)) {
	for _, src := range []string{service, cgoFile, compiled, "", "package p", "\uFEFFpackage p\n",
		"//go:build a\n\npackage p\n", "// +build a\n\npackage p\n", "package p\n/*line a.go:1:2*/\n//line b:3\n",
		"package p\nimport \"C\"\n//export F\nfunc F()\n"} {
		add([]byte(src))
	}
	for _, src := range module {
		add([]byte(src))
	}
	// The same ones each time: a seed's number must keep its meaning.
	for _, path := range goFiles(f, rand.New(rand.NewPCG(1, 0)), 60) {
		src, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		if len(src) < 20<<10 {
			add(src)
		}
	}
}

func FuzzCheck(f *testing.F) {
	seeds(f, func(src []byte) { f.Add(src) })
	f.Fuzz(func(t *testing.T, src []byte) {
		p := Check("x.go", src)
		sameAsScanner(t, "input", src)
		sameAsGoBuild(t, "input", src)
		if _, err := parser.ParseFile(token.NewFileSet(), "x.go", src, parser.SkipObjectResolution); err != nil && p.Error == nil {
			t.Errorf("does not parse (%v), but has no error", err)
		} else if _, cErr := fileConstraint(src); err == nil && cErr == nil && p.Error != nil {
			t.Errorf("parses, but has the error %v", p.Error)
		}
		want := Same
		if p.Error != nil {
			want = Broken
			p.Error.Excerpt()
		}
		if v, why := Compare(p, p); v != want {
			t.Errorf("compared with itself: %v, %s", v, why)
		}
		data, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var back Precheck
		if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(p, back) {
			t.Errorf("JSON %s: read back as %+v (%v), want %+v", data, back, err, p)
		}
	})
}

func FuzzEdit(f *testing.F) {
	seeds(f, func(src []byte) {
		r := rand.New(rand.NewPCG(2, 0))
		f.Add(src, mess(r, src))
		f.Add(src, damage(r, src))
		f.Add(src, edit(r, src))
	})
	f.Fuzz(func(t *testing.T, before, after []byte) {
		old := Check("x.go", before)
		want := Check("x.go", after)
		v, why := Compare(old, want)
		p, nextV, nextWhy := Next(old, "x.go", after)
		if nextV != v || nextWhy != why {
			t.Errorf("Next says %v, %s; Compare %v, %s", nextV, nextWhy, v, why)
		}
		if !reflect.DeepEqual(p, want) {
			t.Errorf("Next gives\n%+v, Check\n%+v", p, want)
		}
		if old.Error != nil || v != Same && v != Body {
			return
		}
		// The graph holds: go/build must see no difference, in or out.
		for _, tags := range [][]string{nil, mentionedTags(old.Constraint)} {
			a, errA := goBuild(before, tags)
			b, errB := goBuild(after, tags)
			if len(a.InvalidGoFiles) > 0 {
				continue // refused before and, by the compiler at least, after
			}
			if listed(a) != listed(b) {
				t.Errorf("%v (%s), but go/build reads\n%s (%v)\nand then\n%s (%v)", v, why, listed(a), errA, listed(b), errB)
			}
		}
	})
}
