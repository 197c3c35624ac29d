//go:build stress

package link_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hotreflex/hr/internal/link"
	"github.com/hotreflex/hr/internal/link/linktest"
)

// TestRandomEdits changes the program of the edit sequence at random and judges
// each version that compiles against a link from nothing and the output of the
// program that the toolchain's linker makes. LINK_EDITS is the number of
// versions, LINK_SEED the seed of a run to repeat.
func TestRandomEdits(t *testing.T) {
	edits := int(number(t, "LINK_EDITS", 100))
	seed := number(t, "LINK_SEED", rand.Int63n(1e9))
	for _, cgo := range []string{"0", "1"} {
		t.Run("cgo="+cgo, func(t *testing.T) {
			t.Parallel()
			if os.Getenv("LINK_SEED") != "" {
				randomEdits(t, cgo, edits, seed)
			} else {
				randomEdits(t, cgo, edits/2, seed+int64(cgo[0]))
			}
		})
	}
}

func randomEdits(t *testing.T, cgo string, edits int, seed int64) {
	s := newSession(t, sequenceApp)
	s.m.Env = []string{"CGO_ENABLED=" + cgo}
	c, err := linktest.NewCompiler(s.m, t.TempDir(), sequenceImports...)
	if err != nil {
		t.Fatal(err)
	}
	e := newEditor(seed)
	repeat := func(n int) string {
		return fmt.Sprintf("version %d; LINK_SEED=%d LINK_EDITS=%d go test -tags stress -run TestRandomEdits/cgo=%s -timeout 1h ./internal/link", n, seed, n, cgo)
	}
	files, modes, tried := maps.Clone(sequenceApp), map[string]int{}, 0
	for n := 0; n < edits; tried++ {
		if tried > 20*edits+100 {
			t.Fatalf("only %d of %d versions compile (seed %d)", n, tried, seed)
		}
		next := e.edit(files)
		s.rewrite(files, next)
		r, err := c.Request()
		if err != nil {
			s.rewrite(next, files)
			continue
		}
		n, files = n+1, next
		r.Out = filepath.Join(s.dir, fmt.Sprint("random", n))
		res, err := s.inc.Link(context.Background(), r)
		if err != nil {
			t.Fatalf("%v\n%s", err, repeat(n))
		}
		modes[res.Mode]++
		want := r
		want.Out = filepath.Join(s.dir, "go")
		if _, err := link.NewToolchain().Link(context.Background(), want); err != nil {
			t.Fatalf("%v\n%s", err, repeat(n))
		}
		if a, b := run(t, r.Out), run(t, want.Out); a != b {
			t.Fatalf("program said\n%s\nwith the toolchain's linker\n%s\n%s", a, b, repeat(n))
		}
	}
	st := s.inc.Stats()
	if st.Checks != edits || st.Mismatches != 0 {
		t.Errorf("%d checks, %d mismatches", st.Checks, st.Mismatches)
	}
	t.Logf("%s: seed %d: %d versions of %d edits compiled, linked %v, 0 differences", t.Name(), seed, edits, tried, modes)
}

// rewrite makes the files of one version those of another.
func (s *session) rewrite(from, to map[string]string) {
	s.t.Helper()
	for name := range from {
		if _, ok := to[name]; !ok {
			s.m.Remove(s.t, name)
		}
	}
	for name, text := range to {
		if from[name] != text {
			s.m.Write(s.t, name, text)
		}
	}
}

// sequenceImports are the packages that some version of the program imports.
var sequenceImports = strings.Fields(`crypto/sha256 encoding/json fmt net/http net/http/httptest os reflect
	runtime runtime/debug strings time runtime/cgo`)

// editor makes versions of the program of the edit sequence.
type editor struct {
	*rand.Rand
	names    []string            // of files
	versions map[string][]string // of each file, as the sequence has them
	states   []map[string]string // the steps of the sequence
}

func newEditor(seed int64) *editor {
	e := &editor{Rand: rand.New(rand.NewSource(seed)), versions: map[string][]string{}}
	files := maps.Clone(sequenceApp)
	keep := func() {
		e.states = append(e.states, maps.Clone(files))
		for name, text := range files {
			if !slices.Contains(e.versions[name], text) {
				e.versions[name] = append(e.versions[name], text)
			}
		}
	}
	keep()
	for _, step := range sequence {
		for _, x := range step.edits {
			files[x.file] = changed(files[x.file], x)
		}
		keep()
	}
	e.names = slices.Sorted(maps.Keys(e.versions))
	return e
}

// edit returns another version of files; it may not compile.
func (e *editor) edit(files map[string]string) map[string]string {
	next := maps.Clone(files)
	switch e.Intn(10) {
	case 0: // another branch is checked out
		return maps.Clone(e.states[e.Intn(len(e.states))])
	case 1: // one package grows or shrinks by many functions
		next["a/many.go"] = manyFunctions(1 + e.Intn(1500))
	case 2: // lines move
		name := e.present(next)
		next[name] = strings.Repeat("// a line\n", 1+e.Intn(5)) + next[name]
	case 3, 4: // files of other steps
		for range 1 + e.Intn(3) {
			name := e.names[e.Intn(len(e.names))]
			next[name] = e.versions[name][e.Intn(len(e.versions[name]))]
		}
	default: // declarations come to a file
		name := e.present(next)
		next[name] = e.declare(e.original(name, next[name]), strings.NewReplacer("/", "_", ".", "_").Replace(name))
	}
	return next
}

func (e *editor) present(files map[string]string) string {
	return slices.Sorted(maps.Keys(files))[e.Intn(len(files))]
}

// original takes away what declare has added.
func (e *editor) original(name, text string) string {
	text, _, _ = strings.Cut(text, declared)
	return text
}

const declared = "\n// Added.\n"

// declare adds declarations that run when the program starts and print.
func (e *editor) declare(text, id string) string {
	var b strings.Builder
	b.WriteString(text + declared)
	for i := range e.Intn(6) {
		n := e.Intn(1000)
		switch e.Intn(7) {
		case 0: // a function, and when it is called
			fmt.Fprintf(&b, "\nfunc extra%[1]s%[2]d() int { println(%[3]d); return %[2]d }\n\nvar keep%[1]s%[2]d = extra%[1]s%[2]d()\n", id, i, n)
		case 1: // a type with methods in an interface, of which some are called
			fmt.Fprintf(&b, "\ntype type%[1]s%[2]d struct { p *int; n [%[3]d]byte }\n\nfunc (t *type%[1]s%[2]d) Say() string { return \"%[3]d\" }\n\nfunc (t type%[1]s%[2]d) Other%[3]d() {}\n\nfunc init() { var v interface{ Say() string } = &type%[1]s%[2]d{}; println(v.Say()) }\n", id, i, n)
		case 2: // variables with pointers
			fmt.Fprintf(&b, "\nvar vars%[1]s%[2]d [%[3]d]struct { a, b *string; c uint64; d []byte }\n\nfunc init() { vars%[1]s%[2]d[0].a = new(string); *vars%[1]s%[2]d[0].a = \"x%[3]d\"; println(*vars%[1]s%[2]d[0].a) }\n", id, i, n+1)
		case 3: // generics
			fmt.Fprintf(&b, "\ntype list%[1]s%[2]d[T any] struct { next *list%[1]s%[2]d[T]; v T }\n\nfunc (l *list%[1]s%[2]d[T]) Push(v T) *list%[1]s%[2]d[T] { return &list%[1]s%[2]d[T]{l, v} }\n\nfunc init() { var l *list%[1]s%[2]d[[%[4]d]int8]; println(len(l.Push([%[4]d]int8{}).v)); var m *list%[1]s%[2]d[string]; println(m.Push(\"%[3]d\").v) }\n", id, i, n, 1+n%9)
		case 4: // a map that is filled at the start, a closure, a panic that is caught
			fmt.Fprintf(&b, "\nvar map%[1]s%[2]d = map[string]func() int{\"a%[3]d\": func() int { return %[3]d }, \"b\": nil}\n\nfunc init() {\n\tdefer func() { println(recover() != nil) }()\n\tprintln(map%[1]s%[2]d[\"a%[3]d\"]())\n\tmap%[1]s%[2]d[\"b\"]()\n}\n", id, i, n)
		case 5: // constants and strings
			fmt.Fprintf(&b, "\nvar text%[1]s%[2]d = \"%[3]s\"\n\nfunc init() { println(text%[1]s%[2]d, %[4]d.5) }\n", id, i, strings.Repeat("long ", n%40), n)
		case 6: // a type switch over types made at run time
			fmt.Fprintf(&b, "\nfunc is%[1]s%[2]d(v any) int {\n\tswitch v.(type) {\n\tcase [%[3]d]int: return 1\n\tcase map[[%[3]d]int]string: return 2\n\tcase interface{ Say() string }: return 3\n\t}\n\treturn 0\n}\n\nfunc init() { println(is%[1]s%[2]d(map[[%[3]d]int]string{}), is%[1]s%[2]d(3)) }\n", id, i, n)
		}
	}
	return b.String()
}
