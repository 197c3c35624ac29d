package astcheck

import (
	"bytes"
	"context"
	"go/build"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// compiled is a file of a package without imports, which the compiler takes
// alone. It has one of each thing that a careless comparison would get wrong.
const compiled = `package x

//go:noinline
func add(a, b int) int { return a + b }

type List[T any] struct {
	next *List[T] // tail
	v    T
}

func (l *List[T]) Len() (n int) {
	for ; l != nil; l = l.next { n++ }
	return
}

const (
	A = iota << 2
	B
	C = 'x' - 0x1p-2*4
)

var table = [...]string{"a", ` + "`b\n// no comment`" + `, "\"c/*" /* three */}

func Sum(x ...int) (s int) {
	// adds them
	for _, v := range x {
		s = add(s, - -v) // twice
		if s &^ 1 == 0 && v < -1 || !(s > 3) { continue }
	}
	defer func() { println("sum", s) }()
	return s
}

func init() { table[0] = table[1][:1] }

//go:nosplit
func leaf(c chan<- func() int) { c <- func() int { return B } }

var _ = Sum
var _ = new(List[float64]).Len
var _ = leaf
`

// compile runs the compiler over a lone file and returns its listing: all code
// and data with line numbers, but not the columns that only export data has.
// The object goes beside the file: the compiler removes it on an error.
func compile(t *testing.T, ctx context.Context, path string) ([]byte, error) {
	t.Helper()
	cmd := exec.CommandContext(ctx, filepath.Join(build.ToolDir, "compile"), "-S", "-p", "x", "-o", path+".o", path)
	// go tool compile sets these as well.
	cmd.Env = append(os.Environ(), "GOROOT="+build.Default.GOROOT, "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	cmd.Dir = filepath.Dir(path)
	out, err := cmd.Output()
	if ctx.Err() != nil {
		t.Fatal(ctx.Err())
	}
	return out, err
}

// TestVerdictAgainstCompiler damages a file at random, lines kept, and asks the
// compiler: what is the same must compile to the same, and what is broken
// must not compile.
func TestVerdictAgainstCompiler(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute) // a compile takes 20 ms
	defer cancel()
	n := 60
	if testing.Short() {
		n = 20
	}
	path := filepath.Join(t.TempDir(), "x.go")
	write := func(src []byte) {
		if err := os.WriteFile(path, src, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write([]byte(compiled))
	want, err := compile(t, ctx, path)
	if err != nil {
		t.Fatalf("the undamaged file: %v\n%s", err, want)
	}
	old := Check(path, []byte(compiled))
	r := rand.New(rand.NewPCG(seed, 0))
	count := map[Verdict]int{}
	for count[Same] < n || count[Broken] < n || count[Body] < n {
		src := sameLines(r, []byte(compiled))
		_, v, why := Next(old, path, src)
		if count[v]++; count[v] > n {
			continue // enough of these
		}
		write(src)
		got, err := compile(t, ctx, path)
		switch {
		case v == Same && err != nil:
			t.Errorf("same (%s), but does not compile: %v\n%s", why, err, src)
		case v == Same && !bytes.Equal(got, want):
			t.Errorf("same (%s), but the compiler's output differs\n%s", why, src)
		case v == Broken && err == nil:
			t.Errorf("broken (%s), but compiles\n%s", why, src)
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%v", count)
}

// sameLines makes a few random changes that move no line.
func sameLines(r *rand.Rand, src []byte) []byte {
	bits := []string{" ", "\t", " ", "\t", "\r", "/* x */", "/**/", "// c", "//go:noinline", "//line x.go:3", "/*line x.go:9:9*/",
		"+", "-", "&", "^", "<", "=", ".", "0", "x", "_", ";", ",", "(", ")", "{", "}", "*", "/", "\"", "'", "`", "1e"}
	lines := bytes.SplitAfter(src, []byte("\n"))
	for range 1 + r.IntN(3) {
		i := r.IntN(len(lines))
		line := bytes.Clone(lines[i])
		text := bytes.TrimSuffix(line, []byte("\n"))
		if len(text) == 0 {
			lines[i] = []byte([]string{"// c\n", "  \n", "/* */\n", ";\n", "//go:noinline\n"}[r.IntN(5)])
			continue
		}
		at := r.IntN(len(text) + 1)
		switch r.IntN(5) {
		case 0, 1:
			line = bytes.Join([][]byte{line[:at], []byte(bits[r.IntN(len(bits))]), line[at:]}, nil)
		case 2:
			if at < len(text) {
				line = append(line[:at], line[at+1:]...)
			}
		case 3:
			line = []byte(string(text) + " // more\n")
		case 4:
			line = []byte(" \t"[r.IntN(2):] + string(bytes.TrimSpace(line)) + "\n")
		}
		lines[i] = line
	}
	return bytes.Join(lines, nil)
}

// TestBrokenAgainstCompiler: no valid program of the toolchain's own tests,
// damaged, may be called broken while the compiler takes it.
func TestBrokenAgainstCompiler(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	var lone [][]byte
	for _, path := range goFiles(t, r, 6) {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if p := Check(path, src); runnable(src) && p.Error == nil && len(p.Imports) == 0 && len(src) < 8<<10 {
			lone = append(lone, src)
		}
	}
	if len(lone) == 0 {
		t.Skip("this Go distribution comes without its tests")
	}
	n := 200
	if testing.Short() {
		n = 30
	}
	dir := t.TempDir()
	var wg sync.WaitGroup
	jobs := make(chan []byte)
	for i := range 2 {
		wg.Go(func() {
			path := filepath.Join(dir, string(rune('a'+i))+".go")
			for src := range jobs {
				e := Check(path, src).Error
				if _, err := fileConstraint(src); e == nil || err != nil {
					continue // a bad constraint is refused by the go command, not the compiler
				}
				if err := os.WriteFile(path, src, 0o644); err != nil {
					t.Error(err)
					continue
				}
				if _, err := compile(t, ctx, path); err == nil {
					t.Errorf("broken (%v), but compiles\n%s", e, src)
				}
			}
		})
	}
	for range n {
		jobs <- damage(r, lone[r.IntN(len(lone))])
	}
	close(jobs)
	wg.Wait()
}

// TestStricterCompiler notes where the compiler refuses what go/parser takes:
// such a file is not broken, its compile error comes from the build.
func TestStricterCompiler(t *testing.T) {
	for _, src := range []string{
		"package p\nfunc f() { x := 1; x := 2 }\n",                // types
		"package p\nfunc f() { return; L: }\n",                    // unused label
		"package p\nimport \"a b\"\n",                             // import path
		"package p\nfunc f() { break }\n",                         // branch
		"package p\n\n//go:embed x\nvar s string\n",               // misplaced directive
		"package p\nvar x = 1 //go:noinline\n",                    // misplaced directive
		"package p\nfunc init()\n",                                // no body
		"package p\ntype T struct{}\nfunc (T, T) m() {}\n",        // two receivers
		"package p\nfunc f(a int, a int) {}\n",                    // parameter twice
		"//go:build linux\n\n//go:debug x=1\npackage p\n",         // unknown setting
		"package p\nvar _ = " + strings.Repeat("1+", 100) + "1\n", // valid, for the contrast
	} {
		if e := Check("p.go", []byte(src)).Error; e != nil {
			t.Errorf("%q: broken: %v", src, e)
		}
	}
}
