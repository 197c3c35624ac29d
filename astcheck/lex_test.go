package astcheck

import (
	"bytes"
	"go/build"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// goFiles returns a random sample of one in every n Go files of the toolchain:
// its sources and, with the forms nobody else writes, its own test programs.
func goFiles(t testing.TB, r *rand.Rand, n int) []string {
	t.Helper()
	var list []string
	for _, dir := range []string{"src", "test"} {
		root := filepath.Join(build.Default.GOROOT, dir)
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if os.IsNotExist(err) && path == root {
				return fs.SkipDir // not every distribution has the tests
			}
			if err == nil && strings.HasSuffix(path, ".go") && !d.IsDir() && r.IntN(n) == 0 {
				list = append(list, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// scanned is the canonical text as go/scanner sees the file, without marks;
// it reports false if the scanner finds an error.
func scanned(src []byte) ([]byte, bool) {
	var s scanner.Scanner
	s.Init(token.NewFileSet().AddFile("x.go", -1, len(src)), src, nil, 0)
	var out []byte
	for {
		_, tok, lit := s.Scan()
		switch {
		case tok == token.EOF:
			return out, s.ErrorCount == 0
		case tok == token.SEMICOLON:
			lit = ";"
		case tok.IsOperator():
			lit = tok.String()
		}
		out = append(append(out, lit...), 0)
	}
}

// withoutMarks drops the directives from a canonical text.
func withoutMarks(canon []byte) []byte {
	var out []byte
	for part := range bytes.SplitAfterSeq(canon, []byte{0}) {
		if len(part) == 0 || part[0] != markOwnLine && part[0] != markInline {
			out = append(out, part...)
		}
	}
	return out
}

// sameAsScanner checks the lexer against go/scanner on any bytes: it must cut
// them into the same tokens, unless it makes one that no valid file has.
func sameAsScanner(t *testing.T, name string, src []byte) {
	t.Helper()
	want, valid := scanned(src)
	out, clean := lex(src)
	if !valid {
		return // the parser will refuse it as well
	}
	if !clean {
		t.Fatalf("%s: the lexer refuses what go/scanner takes", name)
	}
	got := withoutMarks(out.canon)
	if bytes.Equal(got, want) {
		return
	}
	for tok := range bytes.SplitAfterSeq(got, []byte{0}) {
		if one, valid := scanned(bytes.TrimSuffix(tok, []byte{0})); !valid ||
			!bytes.Equal(one, tok) && !bytes.Equal(one, slices.Concat(tok, []byte{';', 0})) {
			if _, err := parser.ParseFile(token.NewFileSet(), "", src, 0); err == nil {
				t.Fatalf("%s: %q is no token, but the file parses", name, tok)
			}
			return
		}
	}
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	around := func(b []byte) []byte { return b[max(0, i-40):min(len(b), i+40)] }
	t.Fatalf("%s: tokens differ\n got %q\nwant %q", name, around(got), around(want))
}

func TestLexAgreesWithScanner(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	files := goFiles(t, r, 24)
	if len(files) < 200 {
		t.Fatalf("only %d files found", len(files))
	}
	for _, path := range files {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sameAsScanner(t, path, src)
		// And with bytes put in, left out and moved, which now and then
		// leaves source that the scanner still takes.
		for range 2 {
			sameAsScanner(t, path+", damaged", damage(r, src))
		}
	}
}

// damage makes a few random changes at byte level.
func damage(r *rand.Rand, src []byte) []byte {
	out := bytes.Clone(src)
	bits := []string{" ", "\n", "\t", "//", "/* x */", "/*\n*/", "+", "-", "&^", "<", ".", "...", "0x", "1e", "`", "\"", "'", "\\", ";", "x", "\r\n", "//go:noinline\n", "//line a.go:1\n"}
	for range 1 + r.IntN(4) {
		if len(out) == 0 {
			break
		}
		i := r.IntN(len(out))
		switch r.IntN(3) {
		case 0:
			out = append(out[:i], out[i+1:]...)
		case 1:
			bit := bits[r.IntN(len(bits))]
			out = append(out[:i], append([]byte(bit), out[i:]...)...)
		case 2:
			j := r.IntN(len(out))
			out[i], out[j] = out[j], out[i]
		}
	}
	return out
}

func TestLex(t *testing.T) {
	const own, inl = string(rune(markOwnLine)), string(rune(markInline))
	for _, tt := range []struct{ name, src, want string }{
		{"empty", "", ""},
		{"semicolons", "package p\nvar x = f(\n1,\n)\nreturn\nfunc", "package p ; var x = f ( 1 , ) ; return ; func"},
		{"keyword at the end of a line", "if\nx {\n}", "if x { } ;"},
		{"comment as newline", "x /*\n*/ y /* z */ ;", "x ; y ;"},
		{"end of file", "x", "x ;"},
		{"operators", "a&^=b<<=c>>=d&^e<-f...", "a &^= b <<= c >>= d &^ e <- f ..."},
		{"signs", "a- -b--\nc+++d", "a - - b -- ; c ++ + d ;"},
		{"numbers", "0x1p-2+0xe+1 1e+2 .5 1_000.e-1i", "0x1p-2 + 0xe + 1 1e+2 .5 1_000.e-1i ;"},
		{"strings", `"a\"b" '\'' '\\'`, `"a\"b" '\'' '\\' ;`},
		{"raw string", "`a\r\n//go:x\n` b", "`a\n//go:x\n` b ;"},
		{"letters", "é_1 世界", "é_1 世界 ;"},
		{"byte order mark", "\uFEFFpackage p", "package p ;"},
		{"directive", "package p\n\t//go:noinline\r\nfunc f()", "package p ; " + own + "//go:noinline func f ( ) ;"},
		{"directive behind code", "x //go:noinline\ny", "x " + inl + "//go:noinline ; y ;"},
		{"directive behind a comment", "/* */ //go:noinline", inl + "//go:noinline"},
		{"directive behind a raw string", "`\n` //go:noinline", "`\n` " + inl + "//go:noinline ;"},
		{"no directive", "x // go:noinline\n/*go:noinline*/\n//go: x", "x ; " + own + "//go: x"},
		{"tool directives", "//go:generate x\n//go:fix inline\nx", "x ;"},
		{"tool directive behind code", "x //go:generate y", "x " + inl + "//go:generate y ;"},
		{"nearly a tool directive", "//go:generated", own + "//go:generated"},
		{"constraint", "//go:build x\n\npackage p", "package p ;"},
		{"constraint below the package clause", "package p\n//go:build x\n", "package p ; " + own + "//go:build x"},
		{"line", "//line a.go:1\nx\n //line a.go:1\ny /*line :2:3*/ z", own + "//line a.go:1 x ; y " + inl + "/*line :2:3*/ z ;"},
	} {
		out, ok := lex([]byte(tt.src))
		got := strings.TrimSuffix(strings.ReplaceAll(string(out.canon), "\x00", " "), " ")
		if !ok || got != tt.want {
			t.Errorf("%s: lex(%q) = %q, %v, want %q", tt.name, tt.src, got, ok, tt.want)
		}
	}
	for _, src := range []string{"\"a\nb\"", "'a", "`a", "/* a", "\"a\\\nb\"", "\xff", "// \xff", "x\x00", "// \x00", "x\uFEFF", "\"\\"} {
		if out, ok := lex([]byte(src)); ok {
			t.Errorf("lex(%q) = %q, must refuse it", src, out.canon)
		}
	}
}

func TestShape(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"f(a,\n)", "f ( a ) ;"},
		{"{ return; }", "{ return } ;"},
		{"a[1,]", "a [ 1 , ] ;"},
		{"{;;}", "{ ; } ;"},
		{`{",",}`, `{ "," } ;`},
		{"(,)", "( ) ;"},
		{"x;", "x ;"},
	} {
		out, _ := lex([]byte(tt.src))
		got := strings.TrimSuffix(strings.ReplaceAll(string(shape(out.canon)), "\x00", " "), " ")
		if got != tt.want {
			t.Errorf("shape of %q = %q, want %q", tt.src, got, tt.want)
		}
	}
}
