//go:build unix

package graph

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestReach follows links of all sorts to where a change is seen.
func TestReach(t *testing.T) {
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(base, name) }
	for _, dir := range []string{"real/app/pk", "real/app/inner", "shared", "one/two", "pk1", "away"} {
		if err := os.MkdirAll(at(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{"shared/x.go", "one/two/y.go", "pk1/a.go", "real/app/inner/b.go", "real/app/plain.go", "real/app/go.mod", "real/x.json"} {
		if err := os.WriteFile(at(f), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{
		"app":                "real/app", // the module itself
		"real/app/x.go":      "../../shared/x.go",
		"real/app/chain.go":  "chain2",
		"real/app/chain2":    at("away/chain3"),
		"away/chain3":        "../one/middle/y.go", // a link to a directory on the way
		"one/middle":         "two",
		"real/app/linked":    "../../pk1",
		"real/app/inside":    at("real/app/inner"),
		"real/app/gone.go":   "../../shared/gone.go",
		"real/app/circle.go": "circle.go",
	} {
		if err := os.Symlink(to, at(name)); err != nil {
			t.Fatal(err)
		}
	}
	files := func(names ...string) map[string]*File {
		m := map[string]*File{}
		for _, n := range names {
			m[at(n)] = &File{Path: at(n), Kind: Go}
		}
		return m
	}
	pkg := func(path, dir string, names ...string) *Package {
		return &Package{Path: path, Dir: at(dir), Local: true, Files: files(names...), Listings: []*Listing{{Dir: at(dir)}}}
	}
	s := (&Snapshot{
		Packages: map[string]*Package{
			"m":        pkg("m", "app", "app/plain.go", "app/x.go", "app/chain.go", "app/gone.go", "app/circle.go"),
			"m/linked": pkg("m/linked", "app/linked", "app/linked/a.go"),
			"m/inside": pkg("m/inside", "app/inside", "app/inside/b.go"),
		},
		Inputs: map[string]*File{at("app/go.mod"): {Path: at("app/go.mod")}, at("real/x.json"): {Path: at("real/x.json")}},
	}).Seal()
	r := s.Reach([]string{at("app")})

	for _, dir := range []string{"app", "shared", "one", "one/two", "away", "pk1", "app/inner", "real", ""} {
		if !slices.Contains(r.Dirs, at(dir)) {
			t.Errorf("%q is not watched", dir)
		}
	}
	for _, dir := range []string{"real/app", "app/linked", "real/app/inner", "one/middle"} {
		if slices.Contains(r.Dirs, at(dir)) {
			t.Errorf("%q is watched under a name with a link in it", dir)
		}
	}
	for _, c := range []struct {
		path string
		want string
		all  bool
	}{
		{"shared/x.go", "app/x.go", false},
		{"shared/gone.go", "app/gone.go", false},
		{"shared/other.go", "", false},
		{"one/two/y.go", "app/chain.go", false},
		{"pk1/a.go", "app/linked/a.go", false},
		{"pk1/new.go", "app/linked/new.go", false},
		{"app/inner/b.go", "app/inside/b.go", false},
		{"app/plain.go", "", false},
		{"app/x.go", "", true},
		{"app/linked", "", true},
		{"app/chain2", "", true},
		{"one/middle", "", true},
		{"one", "", true},
		{"shared", "", true},
		{"app", "", true},
	} {
		got, all := r.Inputs(at(c.path))
		var want []string
		if c.want != "" {
			want = []string{at(c.want)}
		}
		if !slices.Equal(got, want) || all != c.all {
			t.Errorf("%s stands for %q, all %v; want %q, %v", c.path, got, all, want, c.all)
		}
	}
	for path, want := range map[string]bool{
		"shared/x.go": true, "shared/other.go": false, "pk1/any.go": true, "real/x.json": true, "real/y.json": false, "app": true, "one/middle": true, "one/else": false,
	} {
		if r.Wants(at(path)) != want {
			t.Errorf("%s is wanted: %v", path, !want)
		}
	}
}
