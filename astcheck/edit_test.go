package astcheck

import (
	"strings"
	"testing"
)

// service is the file that the edits below start from.
const service = `// Package store keeps things.
package store

import (
	"embed"
	"fmt"
	str "strings"
)

//go:embed data/*.txt
var files embed.FS

// Limit is the largest number of things.
const Limit = 10

const (
	a = iota
	b
)

type Store struct {
	things map[string]int // by name
}

// Get returns a thing.
func (s *Store) Get(name string) (int, error) {
	n, ok := s.things[str.ToLower(name)]
	if !ok {
		return 0, fmt.Errorf("get %q: not found", name)
	}
	return n, nil
}

func Map[K comparable, V any](m map[K]V, f func(V) V) { for k, v := range m { m[k] = f(v) } }

//go:noinline
func hidden() string {
	return ` + "`raw\ntext`" + `
}

func init() { _ = files }

func init() { hidden() }
`

const cgoFile = `package c

/*
#cgo LDFLAGS: -lm
#include <math.h>
*/
import "C"

import "fmt"

// Root is called by C.
//
//export Root
func Root(x C.double) C.double { return C.sqrt(x) }

func hello() { fmt.Println("hello") }
`

func TestCompare(t *testing.T) {
	for _, tt := range []struct {
		name     string
		from     string
		old, new string // replaced in from; an old of "" appends
		want     Verdict
		why      string // part of the reason
	}{
		// Same: nothing that the compiler sees.
		{"nothing", service, "Limit", "Limit", Same, "content unchanged"},
		{"comment text", service, "by name", "by NAME", Same, "only comments or white space"},
		{"doc comment", service, "// Get returns a thing.", "// Get gets.\n// Always.", Same, ""},
		{"package comment removed", service, "// Package store keeps things.\n", "", Same, ""},
		{"comment put between tokens", service, "s.things[", "s./* x */things[", Same, ""},
		{"comment at the end", service, "", "// end", Same, ""},
		{"indentation", service, "\treturn n, nil", "        return n, nil", Same, ""},
		{"blank lines", service, "\n\n// Get", "\n\n\n\n// Get", Same, ""},
		{"line broken after an operator", service, "Limit = 10", "Limit =\n10", Same, ""},
		{"semicolon for a newline", service, "const Limit = 10\n", "const Limit = 10;", Same, ""},
		{"optional semicolon", service, "m[k] = f(v) }", "m[k] = f(v); }", Same, ""},
		{"optional comma", service, "f func(V) V)", "f func(V) V,)", Same, ""},
		{"gofmt of one-line bodies", service, "{ hidden() }", "{\n\thidden()\n}", Same, ""},
		{"space between operators", service, "0, fmt", "0 ,\tfmt", Same, ""},
		{"Windows newlines", service, "return n, nil\n", "return n, nil\r\n", Same, ""},
		{"carriage return in a raw string", service, "raw\ntext", "raw\r\ntext", Same, ""},
		{"byte order mark", service, "// Package store", "\uFEFF// Package store", Same, ""},
		{"generate directive", service, "// Limit is", "//go:generate stringer\n// Limit is", Same, ""},
		{"directive that is a mere comment", service, "// Limit is", "// go:noinline\n// Limit is", Same, ""},
		{"line comment that is not at the margin", service, "\tn, ok", "\t//line x.go:1\n\tn, ok", Same, ""},
		{"constraint respelt", "//go:build a&&(b)\n\npackage p\n", "a&&(b)", " a  &&  b ", Same, ""},
		{"plus-build replaced by its equal", "// +build a,b\n\npackage p\n", "// +build a,b", "//go:build a && b", Same, ""},
		{"comment of a cgo file", cgoFile, "Root is called", "Root is CALLED", Same, ""},
		{"white space of a cgo file", cgoFile, "func hello() {", "func hello()  {", Same, ""},

		// Body: compile, but the graph holds.
		{"constant in a body", service, "return 0,", "return 1,", Body, "body of func (*Store).Get"},
		{"string in a body", service, "not found", "gone", Body, "body of func (*Store).Get"},
		{"newline in a raw string", service, "raw\ntext", "raw text", Body, "body of func hidden"},
		{"generic body", service, "m[k] = f(v)", "m[k] = v", Body, "body of func Map"},
		{"generic constraint", service, "K comparable", "K ~string", Body, "declaration of func Map"},
		{"signature", service, "(int, error)", "(n int, err error)", Body, "declaration of func (*Store).Get"},
		{"receiver", service, "(s *Store) Get", "(s Store) Get", Body, "func Store.Get added, func (*Store).Get removed"},
		{"one init of two", service, "_ = files", "_, _ = files, 1", Body, "body of func init"},
		{"function added", service, "", "func extra() {}\n", Body, "func extra added"},
		{"function removed", service, "func init() { hidden() }\n", "", Body, "func init removed"},
		{"method added", service, "", "func (s *Store) Len() int { return len(s.things) }\n", Body, "func (*Store).Len added"},
		{"type", service, "map[string]int //", "map[string]int; n int //", Body, "type Store changed"},
		{"type alias", service, "type Store struct", "type Old = Store\ntype Store struct", Body, "type Old added"},
		{"constant", service, "Limit = 10", "Limit = 11", Body, "const Limit changed"},
		{"iota block", service, "\ta = iota\n", "\ta = iota\n\tz\n", Body, "const z added"},
		{"variable", service, "var files embed.FS", "var files, more embed.FS", Body, "var files, more added"},
		{"order", "package p\nvar a = 1\nvar b = 2\n", "var a = 1\nvar b = 2", "var b = 2\nvar a = 1", Body, "declarations reordered"},
		{"import renamed", service, `str "strings"`, `txt "strings"`, Body, "imports renamed or reordered"},
		{"import reordered", service, "\t\"embed\"\n\t\"fmt\"", "\t\"fmt\"\n\t\"embed\"", Body, "imports renamed or reordered"},
		{"import doubled", service, "\t\"fmt\"\n", "\t\"fmt\"\n\tfmt2 \"fmt\"\n", Body, "imports renamed or reordered"},
		{"import made blank", service, "\"fmt\"\n", "_ \"fmt\"\n", Body, "imports renamed or reordered"},
		{"import made dot", service, "\"fmt\"\n", ". \"fmt\"\n", Body, "imports renamed or reordered"},
		{"number respelt", service, "Limit = 10", "Limit = 0xA", Body, "const Limit changed"},
		{"parentheses", service, "return n, nil", "return (n), nil", Body, "body of"},
		{"noinline removed", service, "//go:noinline\n", "", Body, "declaration of func hidden"},
		{"noinline added", service, "func init() { hidden() }", "//go:noinline\nfunc init() { hidden() }", Body, "declaration of func init"},
		{"noinline moved behind code", service, "//go:noinline\nfunc hidden() string {", "func hidden() string { //go:noinline", Body, ""},
		{"generate directive behind code", service, "Limit = 10", "Limit = 10 //go:generate x", Body, ""},
		{"line directive", service, "const Limit", "//line other.go:7\nconst Limit", Body, ""},
		{"line directive in a line", service, "const Limit", "const /*line other.go:7:1*/ Limit", Body, ""},
		{"unknown directive", service, "const Limit", "//go:newthing\nconst Limit", Body, "const Limit changed"},
		{"semicolon by comment", "package p\nfunc f() {\n\treturn /* a */\n}\nvar x = 1\n", "/* a */", "/* a */ ; ;", Body, "body of func f"},
		{"embed without the import", "package p\n\n//go:embed x\nvar s string\n", "embed x", "embed y", Body, "var s changed"},
		{"body of a cgo file", cgoFile, `"hello"`, `"bye"`, Body, "body of func hello"},
		{"four things", "package p\nvar (a=1;b=2;c=3;d=4)\n", "a=1;b=2;c=3;d=4", "a=2;b=3;c=4;d=5", Body, "var a changed, var b changed, var c changed and 1 more"},

		// Header: load the graph first.
		{"import added", service, "\t\"fmt\"\n", "\t\"fmt\"\n\t_ \"os\"\n", Header, `import "os" added`},
		{"import removed", service, "\t\"fmt\"\n", "", Header, `import "fmt" removed`},
		{"import replaced", service, `"fmt"`, `fmt "log"`, Header, `import "log" added`},
		{"import of C", service, "import (", "import \"C\"\nimport (", Header, `import "C" added`},
		{"package clause", service, "package store", "package shop", Header, "package changed from store to shop"},
		{"constraint added", service, "// Package store", "//go:build dev\n\n// Package store", Header, "constraint changed from none to dev"},
		{"constraint changed", "//go:build dev\n\npackage p\n", "dev", "!dev", Header, "constraint changed from dev to !dev"},
		{"constraint removed", "//go:build dev\n\npackage p\n", "//go:build dev", "// go:build dev", Header, "constraint changed from dev to none"},
		{"plus-build added", service, "// Package store", "// +build dev\n\n// Package store", Header, "constraint changed from none to dev"},
		{"plus-build in force by a blank line", "// +build dev\npackage p\n", "dev\n", "dev\n\n", Header, "constraint changed from none to dev"},
		{"embed pattern", service, "data/*.txt", "data/*.md", Header, "//go:embed data/*.md added"},
		{"embed pattern added", service, "data/*.txt", "data/*.txt more", Header, "//go:embed more added"},
		{"embed directive undone", service, "//go:embed", "// go:embed", Header, "//go:embed data/*.txt removed"},
		{"debug", "package main\n", "package", "//go:debug panicnil=1\npackage", Header, "//go:debug panicnil=1 added"},
		{"debug changed", "//go:debug panicnil=1\npackage main\n", "=1", "=0", Header, "//go:debug panicnil=0 added"},
		{"linkname", service, "//go:noinline", "//go:linkname hidden runtime.hidden", Header, "//go:linkname hidden runtime.hidden added"},
		{"cgo preamble", cgoFile, "<math.h>", "<stdio.h>", Header, "cgo preamble changed"},
		{"cgo flags", cgoFile, "-lm", "-lm -O2", Header, "cgo preamble changed"},
		{"comment in the cgo preamble", cgoFile, "#include <math.h>", "#include <math.h> // maths", Header, "cgo preamble changed"},
		{"cgo preamble cut off by a blank line", cgoFile, "*/\nimport", "*/\n\nimport", Header, "cgo preamble changed"},
		{"export removed", cgoFile, "//export Root", "// export Root", Header, "//export Root removed"},
		{"export cut off by a blank line", cgoFile, "Root\nfunc", "Root\n\nfunc", Header, "//export Root removed"},
		{"cgo import removed", cgoFile, `import "C"`, "", Header, `import "C" removed`},

		// Broken.
		{"brace missing", service, "_ = files }", "_ = files", Broken, "service.go:"},
		{"word too many", service, "const Limit = 10", "const Limit = 10 11", Broken, "service.go:14:18: "},
		{"no package clause", service, "package store", "", Broken, "expected 'package'"},
		{"newline for a comma", service, "(name string)", "(name string\n)", Broken, ""},
		{"string not ended", service, "gone", "gone", Same, ""},
		{"comment not ended", service, "// by name", "/* by name", Broken, "comment not terminated"},
		{"NUL in a comment", service, "by name", "by\x00name", Broken, "NUL"},
		{"not UTF-8, in a comment", service, "by name", "by\xffname", Broken, "UTF-8"},
		{"bad constraint", service, "// Package store", "//go:build dev &&\n\n// Package store", Broken, "service.go:1:1: parsing //go:build line"},
		{"two constraints", service, "// Package store", "//go:build a\n//go:build b\n\n// Package store", Broken, "service.go:2:1: multiple //go:build comments"},
		{"emptied", service, service, "", Broken, "expected 'package'"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			edited := tt.from + tt.new
			if tt.old != "" {
				edited = strings.Replace(tt.from, tt.old, tt.new, 1)
			}
			old := Check("service.go", []byte(tt.from))
			if old.Error != nil {
				t.Fatalf("the file to edit: %v", old.Error)
			}
			now := Check("service.go", []byte(edited))
			got, why := Compare(old, now)
			if got != tt.want || !strings.Contains(why, tt.why) {
				t.Errorf("Compare = %v, %q, want %v, %q", got, why, tt.want, tt.why)
			}
			next, got, nextWhy := Next(old, "service.go", []byte(edited))
			if got != tt.want || nextWhy != why {
				t.Errorf("Next = %v, %q, want as Compare %v, %q", got, nextWhy, tt.want, why)
			}
			same(t, next, now)
			if tt.want == Broken {
				// Undone, the file is what it was, though its last state was broken.
				if _, got, why := Next(now, "service.go", []byte(tt.from)); got != Body && got != Header {
					t.Errorf("mended: %v, %q", got, why)
				}
				return
			}
			// The way back asks for as much work as the way there.
			if back, why := Compare(now, old); back != tt.want {
				t.Errorf("undone: Compare = %v, %q, want %v", back, why, tt.want)
			}
		})
	}
}

func TestCompareNewFile(t *testing.T) {
	p := Check("x.go", []byte("package p\n"))
	if got, why := Compare(Precheck{}, p); got != Header || why != "new file" {
		t.Errorf("Compare = %v, %q", got, why)
	}
	if _, got, why := Next(Precheck{}, "x.go", []byte("package p\n")); got != Header || why != "new file" {
		t.Errorf("Next = %v, %q", got, why)
	}
	if _, got, _ := Next(Precheck{}, "x.go", nil); got != Broken {
		t.Errorf("Next of an empty file = %v", got)
	}
}

func TestMended(t *testing.T) {
	broken := Check("x.go", []byte("package p\n\nimport \"fmt\"\n\nfunc f( { fmt.Println() }\n"))
	for src, want := range map[string]Verdict{
		"package p\n\nimport \"fmt\"\n\nfunc f() { fmt.Println() }\n": Body,
		"package p\n\nimport \"log\"\n\nfunc f() { log.Println() }\n": Header,
	} {
		if _, got, why := Next(broken, "x.go", []byte(src)); got != want {
			t.Errorf("Next(%q) = %v, %q, want %v", src, got, why, want)
		}
	}
	// The same bytes are still broken: nothing has mended them.
	src := []byte("package p\n\nimport \"fmt\"\n\nfunc f( { fmt.Println() }\n")
	if p, got, _ := Next(broken, "x.go", src); got != Broken || p.Error == nil {
		t.Errorf("the broken file again: %v", got)
	}
}
