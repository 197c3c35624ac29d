package astcheck

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/build"
	"go/format"
	"go/scanner"
	"go/token"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// same fails the test unless two prechecks are equal in every field.
func same(t *testing.T, got, want Precheck) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("prechecks differ\n got %+v\nwant %+v", got, want)
	}
}

func TestCheck(t *testing.T) {
	p := Check("service.go", []byte(service))
	want := Precheck{
		Hash: p.Hash, Tokens: p.Tokens, Shape: p.Shape,
		Package: "store",
		Imports: []Import{{"", "embed"}, {"", "fmt"}, {"str", "strings"}},
		Embeds:  []string{"data/*.txt"},
		Decls:   p.Decls,
	}
	same(t, p, want)
	var names []string
	for _, d := range p.Decls {
		names = append(names, d.String())
	}
	wantNames := []string{"import", "var files", "const Limit", "const a", "const b", "type Store",
		"func (*Store).Get", "func Map", "func hidden", "func init", "func init"}
	if !slices.Equal(names, wantNames) {
		t.Errorf("declarations %q, want %q", names, wantNames)
	}

	p = Check("c.go", []byte("//go:build linux || !dev\n//go:debug http2client=0\n\n"+cgoFile+"\n//go:linkname  a  b.c\n"))
	if p.Cgo == "" || !p.ImportsC() || p.Constraint != "linux || !dev" {
		t.Errorf("cgo %q, constraint %q", p.Cgo, p.Constraint)
	}
	if want := []string{"//go:debug http2client=0", "//go:linkname a b.c", "//export Root"}; !slices.Equal(p.Directives, want) {
		t.Errorf("directives %q, want %q", p.Directives, want)
	}
	if want := []string{"C", "fmt"}; !slices.Equal(p.Paths(), want) {
		t.Errorf("paths %q, want %q", p.Paths(), want)
	}
}

func TestDecls(t *testing.T) {
	src := `package p
import "a"
import ("b"; c "c")
const x, y = 1, 2
var ()
var (
	f func(int) struct{ a int } = func(int) struct{ a int } { return struct{ a int }{1} }
	_ = map[string]int{"a": 1}
)
type (
	T[K any] struct { f func() ; E }
	U = interface{ M(); ~int | string }
)
func (T[K]) A() {}
func (t *T[K]) B(f func(struct{ x int }) interface{ M() }) interface{ N() } { return nil }
func (_ *(T[int])) C()
func asm(x int) (y struct{})
func G[P interface{ ~[]int }, Q any](p P) (q Q) { if true { return }; return }
//go:nosplit
func (t T[K,]) D() { type L struct{}; var v = func() {} }
`
	p := Check("p.go", []byte(src))
	if p.Error != nil {
		t.Fatal(p.Error)
	}
	var got []string
	for _, d := range p.Decls {
		s := d.String()
		if d.Body != 0 {
			s += " {}"
		}
		got = append(got, s)
	}
	want := []string{"import", "import", "const x, y", "var f", "var _", "type T", "type U", "func T.A {}",
		"func (*T).B {}", "func (*T).C", "func asm", "func G {}", "func T.D {}"}
	if !slices.Equal(got, want) {
		t.Errorf("declarations\n got %q\nwant %q", got, want)
	}
}

func TestSyntaxError(t *testing.T) {
	long := strings.Repeat("x + ", 2000)
	for _, tt := range []struct {
		name, src string
		error     string
		excerpt   string
		more      int
	}{
		{"tab", "package p\n\nfunc f() {\n\tx := := 1\n}\n", "x.go:4:7: expected operand, found ':='", "\tx := := 1\n\t     ^", 1},
		{"end of file", "package p\n\nfunc f() {\n", "x.go:3:12: expected '}', found 'EOF'", "func f() {\n          ^", 0},
		{"wide letters", "package p\nvar é = \"é\" \"\"\n", "x.go:2:15: expected ';', found \"\"", "var é = \"é\" \"\"\n            ^", 0},
		{"line directive", "package p\n//line a.y:70\nfunc {\n", "a.y:70: expected 'IDENT', found '{'", "func {\n     ^", 0},
		{"control bytes", "package p\nvar \x1b[31m\n", "x.go:2:5: illegal character U+001B", "var \uFFFD[31m\n    ^", 0},
		{"not UTF-8", "package p // \xff\n", "x.go:1:14: illegal UTF-8 encoding", "package p // \uFFFD\n             ^", 0},
		{"Windows", "package p\r\nfunc {\r\n", "x.go:2:6: expected 'IDENT', found '{'", "func {\n     ^", 0},
		{"empty", "", "x.go:1:1: expected 'package', found 'EOF'", "", 0},
		{"constraint", "\n  //go:build ?\npackage p\n", "x.go:2:1: parsing //go:build line: invalid syntax at ?", "  //go:build ?\n^", 0},
		{"long line", "package p\nvar x = " + long + ") + 1" + long + "\n", "", strings.Repeat("x + ", 50), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := Check("x.go", []byte(tt.src)).Error
			if e == nil {
				t.Fatal("no error")
			}
			if tt.error != "" && (!strings.HasPrefix(e.Error(), tt.error) || e.More != tt.more) {
				t.Errorf("error %q and %d more, want %q and %d", e, e.More, tt.error, tt.more)
			}
			if got := e.Excerpt(); !strings.HasPrefix(got, tt.excerpt) || tt.excerpt == "" && got != "" {
				t.Errorf("excerpt\n%q, want\n%q", got, tt.excerpt)
			}
			if len(e.Source) > 3*sourceMax {
				t.Errorf("source of %d bytes", len(e.Source))
			}
		})
	}
}

func TestAnyBytes(t *testing.T) {
	for name, src := range map[string]string{
		"NULs":        strings.Repeat("\x00", 1000),
		"UTF-16":      "\xff\xfep\x00a\x00",
		"deep":        "package p\nvar x = " + strings.Repeat("(", 200_000),
		"deep types":  "package p\ntype T " + strings.Repeat("[]", 200_000) + "int",
		"deep blocks": "package p\nfunc f() " + strings.Repeat("{", 200_000),
		"long line":   "package p // " + strings.Repeat("x", 5<<20),
		"big":         "package p\n" + strings.Repeat("var _ = f(1, \"two\", `three`)\n", 100_000),
		"only bom":    "\uFEFF",
		"directives":  strings.Repeat("//go:build x\n", 1000),
		"plus-build":  strings.Repeat("// +build a b,c !d\n", 1000) + "\npackage p\n",
	} {
		start := time.Now()
		p := Check(name, []byte(src))
		if v, why := Compare(p, p); v != Same && (v != Broken || p.Error == nil) {
			t.Errorf("%s: compared with itself %v, %s", name, v, why)
		}
		if p.Error != nil {
			p.Error.Excerpt()
		}
		if d := time.Since(start); d > time.Minute {
			t.Errorf("%s took %v", name, d)
		}
	}
}

func TestJSON(t *testing.T) {
	for _, src := range []string{service, cgoFile, "", "package p\nfunc {", "//go:build x\n\npackage p\n"} {
		want := Check("x.go", []byte(src))
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Precheck
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatalf("%v: %s", err, data)
		}
		same(t, got, want)
	}
	for _, bad := range []string{`{"h":"x"}`, `{"h":"AAAA"}`, `{"f":["func"]}`, `{"f":["func ? AAAAAA x"]}`} {
		if err := json.Unmarshal([]byte(bad), new(Precheck)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

func TestVerdictText(t *testing.T) {
	for v, word := range map[Verdict]string{Unused: "unused", Same: "same", Body: "body", Header: "header", Broken: "broken"} {
		data, err := json.Marshal(v)
		if err != nil || string(data) != `"`+word+`"` || v.String() != word {
			t.Errorf("%d: %s, %v", v, data, err)
		}
		var back Verdict
		if err := json.Unmarshal(data, &back); err != nil || back != v {
			t.Errorf("%s: read as %v, %v", data, back, err)
		}
	}
	if _, err := json.Marshal(Verdict(9)); err == nil {
		t.Error("verdict 9 was written")
	}
	if err := json.Unmarshal([]byte(`"nothing"`), new(Verdict)); err == nil {
		t.Error("an unknown word was read")
	}
}

// goBuild is what go/build, and so go list, takes from one file.
func goBuild(src []byte, tags []string) (*build.Package, error) {
	ctx := build.Context{
		GOOS: "linux", GOARCH: "amd64", Compiler: "gc", CgoEnabled: true, BuildTags: tags,
		IsDir: func(string) bool { return true },
		ReadDir: func(string) ([]fs.FileInfo, error) {
			return []fs.FileInfo{oneFile{}}, nil
		},
		OpenFile: func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(src)), nil },
	}
	return ctx.ImportDir("/dir", 0)
}

type oneFile struct{}

func (oneFile) Name() string       { return "x.go" }
func (oneFile) Size() int64        { return 1 }
func (oneFile) Mode() fs.FileMode  { return 0o644 }
func (oneFile) ModTime() time.Time { return time.Time{} }
func (oneFile) IsDir() bool        { return false }
func (oneFile) Sys() any           { return nil }

// listed is the part of a package that go list prints because of a file's text.
func listed(p *build.Package) string {
	var debug []string
	for _, d := range p.Directives {
		if strings.HasPrefix(d.Text, "//go:debug") {
			debug = append(debug, strings.Join(strings.Fields(d.Text), " "))
		}
	}
	return fmt.Sprintf("%s %q %q go:%q cgo:%q ignored:%q bad:%q binary:%v debug:%q flags:%q%q%q%q",
		p.Name, p.Imports, p.EmbedPatterns, p.GoFiles, p.CgoFiles, p.IgnoredGoFiles, p.InvalidGoFiles,
		p.BinaryOnly, debug, p.CgoCFLAGS, p.CgoLDFLAGS, p.CgoCPPFLAGS, p.CgoPkgConfig)
}

// sameAsGoBuild compares a precheck with what go/build reads from the bytes.
func sameAsGoBuild(t *testing.T, name string, src []byte) {
	t.Helper()
	p := Check("x.go", src)
	if p.Error != nil {
		return
	}
	got, err := goBuild(src, mentionedTags(p.Constraint))
	all, _ := goBuild(src, nil)
	if len(got.InvalidGoFiles) > 0 {
		return // what go/build refuses and the parser takes: bad import paths, #cgo lines, cgo rules
	}
	in := len(got.GoFiles)+len(got.CgoFiles) > 0
	alsoIn := len(all.GoFiles)+len(all.CgoFiles) > 0
	if p.Package == "documentation" {
		return // never built, constraint or not
	}
	want := holds(t, p.Constraint, mentionedTags(p.Constraint))
	wantAll := holds(t, p.Constraint, nil)
	if in != want || alsoIn != wantAll {
		t.Errorf("%s: constraint %q means %v, %v, go/build says %v, %v (%v)", name, p.Constraint, want, wantAll, in, alsoIn, err)
	}
	if !in {
		return
	}
	paths, patterns := slices.Sorted(slices.Values(p.Paths())), slices.Clone(p.Embeds)
	slices.Sort(patterns)
	patterns = slices.Compact(patterns)
	if p.Package != got.Name || !slices.Equal(paths, got.Imports) || !slices.Equal(patterns, got.EmbedPatterns) ||
		p.ImportsC() != (len(got.CgoFiles) > 0) {
		t.Errorf("%s: precheck has %s %q %q %q, go/build %s", name, p.Package, paths, patterns, p.Cgo, listed(got))
	}
}

func TestCheckAgreesWithGoBuild(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for _, path := range goFiles(t, r, 24) {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sameAsGoBuild(t, path, src)
	}
}

// TestValidFiles: nothing that the toolchain holds for valid may be broken.
func TestValidFiles(t *testing.T) {
	r := rand.New(rand.NewPCG(rand.Uint64(), 0))
	for _, path := range goFiles(t, r, 8) {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(path, "testdata") || strings.Contains(path, filepath.Join("go", "test")+string(filepath.Separator)) && !runnable(src) {
			continue // holds errors on purpose
		}
		if e := Check(path, src).Error; e != nil {
			t.Errorf("%v", e)
		}
	}
}

// runnable reports whether a test program of the toolchain is to be compiled
// without errors, which its first lines say.
func runnable(src []byte) bool {
	first, _, _ := bytes.Cut(src, []byte("\n"))
	f := strings.Fields(string(first))
	return len(f) > 1 && (f[1] == "run" || f[1] == "compile")
}

// TestGofmt: formatting a file never asks for a compilation.
func TestGofmt(t *testing.T) {
	r := rand.New(rand.NewPCG(rand.Uint64(), 0))
	n := 0
	for _, path := range goFiles(t, r, 40) {
		if strings.Contains(path, "testdata") || !strings.Contains(path, filepath.Join("go", "src")) {
			continue // not gofmt's style: it would sort imports, respell numbers, drop parentheses
		}
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		old := Check(path, src)
		if old.Error != nil || bytes.Contains(src, []byte("/*")) && bytes.Contains(src, []byte(`"C"`)) {
			continue
		}
		messy := mess(r, src)
		p, v, why := Next(old, path, messy)
		if v != Same {
			t.Errorf("%s with other white space: %v, %s", path, v, why)
			continue
		}
		neat, err := format.Source(messy)
		if err != nil {
			t.Fatal(err)
		}
		if q, v, why := Next(p, path, neat); v != Same {
			t.Errorf("%s after gofmt: %v, %s", path, v, why)
		} else {
			same(t, q, Check(path, neat))
		}
		n++
	}
	if n < 50 {
		t.Errorf("only %d files tried", n)
	}
}

// mess puts white space and comments between the tokens of a file, where they
// change no token and no line that holds a directive.
func mess(r *rand.Rand, src []byte) []byte {
	var s scanner.Scanner
	fset := token.NewFileSet()
	file := fset.AddFile("x.go", -1, len(src))
	s.Init(file, src, nil, 0)
	var out []byte
	done := 0
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return append(out, src[done:]...)
		}
		if tok == token.SEMICOLON && lit == "\n" {
			continue
		}
		if r.IntN(6) > 0 {
			continue
		}
		if tok.IsOperator() {
			lit = tok.String()
		}
		end := file.Offset(pos) + len(lit)
		if tok == token.STRING {
			continue // a raw string with carriage returns is longer than its value
		}
		out = append(out, src[done:end]...)
		done = end
		rest, _, _ := bytes.Cut(src[end:], []byte("\n"))
		kind := r.IntN(4)
		if kind > 1 && (bytes.Contains(rest, []byte("//")) || bytes.Contains(rest, []byte("/*"))) {
			kind = 0
		}
		switch kind {
		case 0:
			out = append(out, " \t"...)
		case 1:
			out = append(out, " /* é */"...)
		case 2, 3:
			switch tok {
			case token.LBRACE, token.LPAREN, token.COMMA, token.ADD, token.ASSIGN, token.PERIOD, token.FUNC, token.LAND:
				out = append(out, []string{"\n", "\r\n\n", " // c\n", " /*\n*/"}[r.IntN(4)]...)
			}
		}
	}
}
