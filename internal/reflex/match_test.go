package reflex

import (
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	for _, tc := range []struct {
		flags string // as in a config file
		yes   string
		no    string
	}{
		{``, "a.go d/ d/a.txt .env", ".git/x a/.git/x .hg/x .jj/x a~ d/.a.swp .#a d/.#a #a# d/#a# .DS_Store d/.DS_Store .git/"},
		{`--all`, ".git/x a~ .a.swp #a#", ""},
		{`-r '\.go$'`, "a.go d/a.go", "a.go.txt d/ a.gox"},
		{`-r '^a' -r '\.go$'`, "a.go", "b.go a.txt"},
		{`-R '_test\.go$'`, "a.go d/", "a_test.go"},
		{`-R '^vendor/' -r '\.go$'`, "a.go x/vendor/a.go", "vendor/a.go"},
		{`-g '*.go'`, "a.go", "d/a.go a.txt"},
		{`-g '*/*.go'`, "d/a.go", "a.go d/e/a.go"},
		{`-g '**/*.go'`, "a.go d/a.go d/e/a.go", "a.txt"},
		{`-g 'd/**'`, "d/a d/e/a", "e/a"},
		{`-G '*.txt'`, "a.go d/a.txt", "a.txt"},
		{`-g '*.go' -r '^a'`, "a.go", "b.go a.txt"},
		{`-g 'a{b,c}'`, "a{b,c}", "ab ac"},
		{`-g '[ab].go'`, "a.go b.go", "c.go"},
		{`-g '*/'`, "d/", "d d/e/"},
		{`--only-files`, "a d/a", "d/"},
		{`--only-dirs`, "d/ d/e/", "a d/a"},
		{`-r 'a b'`, "a_b", ""},
	} {
		t.Run(tc.flags, func(t *testing.T) {
			lines, err := ReadConfig(strings.NewReader(tc.flags+" -- x"), "test")
			if err != nil {
				t.Fatal(err)
			}
			m, err := NewMatcher(&lines[0])
			if err != nil {
				t.Fatal(err)
			}
			for name := range strings.FieldsSeq(tc.yes) {
				if name = strings.ReplaceAll(name, "_b", " b"); !m.Match(name) {
					t.Errorf("%q is not selected", name)
				}
			}
			for name := range strings.FieldsSeq(tc.no) {
				if m.Match(name) {
					t.Errorf("%q is selected", name)
				}
			}
		})
	}
}

func TestPrunes(t *testing.T) {
	for _, tc := range []struct {
		flags string
		yes   string
		no    string
	}{
		{``, ".git/ d/.git/ .hg/ .jj/", "d/ vendor/ node_modules/ ./ git/"},
		{`--all`, "", ".git/ d/"},
		{`-R '^vendor/'`, "vendor/ vendor/x/ .git/", "d/vendor/ d/"},
		{`-R '^vendor/$'`, "", "vendor/"},
		{`-R 'vendor\b'`, "", "vendor/"},
		{`-R 'vendor/\B'`, "", "vendor/"},
		{`-R '(a|b$)'`, "", "a/"},
		{`-R ''`, "", "a/"},
		{`-r '\.go$'`, "", "d/"},
		{`-G 'vendor/*'`, "", "vendor/"},
		{`-G 'vendor/**'`, "vendor/ vendor/a/", "d/ d/vendor/"},
		{`-G '**/node_modules/**'`, "node_modules/ d/node_modules/", "d/"},
	} {
		t.Run(tc.flags, func(t *testing.T) {
			lines, err := ReadConfig(strings.NewReader(tc.flags+" -- x"), "test")
			if err != nil {
				t.Fatal(err)
			}
			m, err := NewMatcher(&lines[0])
			if err != nil {
				t.Fatal(err)
			}
			for name := range strings.FieldsSeq(tc.yes) {
				if !m.Prunes(name) {
					t.Errorf("%q is watched", name)
				}
			}
			for name := range strings.FieldsSeq(tc.no) {
				if m.Prunes(name) {
					t.Errorf("%q is not watched", name)
				}
			}
		})
	}
}

func TestBadPatterns(t *testing.T) {
	for _, flags := range []string{`-r '('`, `-R '['`, `-g '['`, `-G '[a'`, `-g '**/['`} {
		lines, err := ReadConfig(strings.NewReader(flags+" -- x"), "test")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewMatcher(&lines[0]); err == nil {
			t.Errorf("%s is accepted", flags)
		}
	}
}
