package link_test

import (
	"fmt"
	"maps"
	"math/rand"
	"os/exec"
	"strings"
	"testing"
)

// The program of the edit sequences: reflection over everything it has, methods
// by name, interfaces, garbage collection, panics with tracebacks.
var sequenceApp = map[string]string{
	"main.go": `package main

import (
	"fmt"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"

	"app/a"
	"app/b"
)

type local struct {
	a.Thing
	next *local
}

func (l *local) Depth() int {
	if l.next == nil {
		return 1
	}
	return 1 + l.next.Depth()
}

var global = map[string]*local{"x": {a.Thing{Name: "x"}, nil}}

func show(v any) {
	t := reflect.TypeOf(v)
	fmt.Println(t, t.Kind(), t.NumMethod())
	for i := range t.NumMethod() {
		m := t.Method(i)
		fmt.Println("  ", m.Name, m.Type)
	}
	if m := reflect.ValueOf(v).MethodByName("Say"); m.IsValid() {
		fmt.Println("   said", m.Call(nil)[0])
	}
}

func main() {
	debug.SetGCPercent(5)
	fmt.Println(a.Version(), b.Run(3))
	show(a.Thing{Name: "t"})
	show(&local{})
	show(b.New())
	for i := range 50 {
		x := make([]*local, 1000)
		for j := range x {
			x[j] = &local{a.Thing{Name: strings.Repeat("y", j%7)}, nil}
		}
		global[fmt.Sprint(i%5)] = x[i]
		runtime.GC()
	}
	fmt.Println(len(global), (&local{next: global["x"]}).Depth())
	fmt.Println(reflect.TypeOf(global), reflect.TypeOf(b.New()).PkgPath())
	fmt.Println(b.Keep())
	frames()
	defer func() {
		fmt.Println("recovered", recover())
		for _, l := range strings.Split(string(debug.Stack()), "\n") {
			if i := strings.Index(l, " +0x"); i >= 0 {
				fmt.Println(l[:i])
			} else if !strings.Contains(l, "(") {
				fmt.Println(l)
			}
		}
		if len(os.Args) > 5 {
			panic(1)
		}
	}()
	a.Fail(nil)
}

func frames() {
	pcs := make([]uintptr, 20)
	f := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for {
		x, more := f.Next()
		fmt.Println(x.Function, x.Line)
		if !more {
			break
		}
	}
}
`,
	"a/a.go": `package a

import "fmt"

type Thing struct{ Name string }

func (t Thing) Say() string { return "thing " + t.Name }

func Version() string { return fmt.Sprint("v", 1) }

var table = []func(int) int{func(x int) int { return x + 1 }, func(x int) int { return x * 2 }}

func Apply(x int) int {
	for _, f := range table {
		x = f(x)
	}
	return x
}

func Fail(t *Thing) string { return t.Name }
`,
	"b/b.go": `package b

import "app/a"

type Sayer interface{ Say() string }

type impl struct{ a.Thing }

func New() Sayer { return &impl{a.Thing{Name: "impl"}} }

func Run(n int) (s string) {
	for range n {
		s += New().Say()
	}
	return s
}

var kept []*a.Thing

func Keep() int {
	kept = append(kept, &a.Thing{})
	return a.Apply(len(kept))
}
`,
}

// edit replaces old by new in a file; old may be "" to write the whole file.
type edit struct{ file, old, new string }

// sequence are the steps; each keeps what the ones before it did.
var sequence = []struct {
	name  string
	edits []edit
}{
	{"body", []edit{{"a/a.go", `"v", 1`, `"v", 2`}}},
	{"line shift", []edit{{"a/a.go", "type Thing", "// a comment\n// and another\n\ntype Thing"}}},
	{"longer body", []edit{{"b/b.go", "for range n {", "if n > 100 {\n\t\tpanic(\"large\")\n\t}\n\tfor range n {\n\t\ts += \"-\""}}},
	{"new method", []edit{{"a/a.go", "func Version", "func (t *Thing) Rename(s string) { t.Name = s }\n\nfunc Version"}}},
	{"method used by interface", []edit{{"b/b.go", "type impl", "type renamer interface{ Rename(string) }\n\nvar r renamer = &impl{}\n\nfunc init() { r.Rename(\"z\") }\n\ntype impl"}}},
	{"new type with pointers", []edit{{"a/a.go", "func Apply", "type Node struct {\n\tl, r *Node\n\tdata [7]map[string]*Thing\n}\n\nvar Root = &Node{l: &Node{}}\n\nvar big [300]*Node\n\nfunc init() { big[299] = Root }\n\nfunc Apply"}}},
	{"new std import", []edit{{"b/b.go", `import "app/a"`, "import (\n\t\"app/a\"\n\t\"encoding/json\"\n)"}, {"b/b.go", "s += New().Say()", "j, err := json.Marshal(map[string]any{\"n\": n, \"r\": a.Root != nil})\n\t\tif err != nil {\n\t\t\tpanic(err)\n\t\t}\n\t\ts += New().Say() + string(j)"}}},
	{"new package", []edit{{"c/c.go", "", "package c\n\nimport \"time\"\n\nvar Start = time.Unix(0, 0).UTC().Year()\n\ntype C[T any] struct{ v T }\n\nfunc (c C[T]) Get() T { return c.v }\n\nfunc Of[T any](v T) C[T] { return C[T]{v} }\n"}, {"a/a.go", `import "fmt"`, "import (\n\t\"fmt\"\n\n\t\"app/c\"\n)"}, {"a/a.go", `fmt.Sprint("v", 2)`, `fmt.Sprint("v", 2, c.Start, c.Of(3).Get(), c.Of("s").Get())`}}},
	{"generic in another package", []edit{{"b/b.go", "var kept", "func (impl) Generic() int { return c.Of(4).Get() }\n\nvar kept"}, {"b/b.go", "\"app/a\"\n", "\"app/a\"\n\t\"app/c\"\n"}}},
	{"generic moves owner", []edit{{"a/a.go", "c.Of(3).Get(), ", ""}}},
	{"init order", []edit{{"c/c.go", "time.Unix(0, 0).UTC().Year()", "first()"}, {"c/c.go", "type C[", "func first() int { println(\"c starts\"); return time.Unix(0, 0).UTC().Year() }\n\ntype C["}}},
	{"closures", []edit{{"a/a.go", "func(x int) int { return x * 2 }", "func(x int) int { return func(y int) int { return y * 3 }(x) }, func(x int) int { return x - 1 }"}}},
	{"many functions", []edit{{"a/many.go", "", manyFunctions(400)}, {"a/a.go", "x = f(x)", "x = f(x) + many(x)"}}},
	{"map init", []edit{{"c/c.go", "var Start", "var names = map[string]int{\"a\": 1, \"b\": 2, \"c\": 3, \"d\": 4, \"e\": 5, \"f\": 6, \"g\": 7, \"h\": 8, \"i\": 9, \"j\": 10, \"k\": 11, \"l\": 12, \"m\": 13, \"n\": 14, \"o\": 15, \"p\": 16, \"q\": 17, \"r\": 18, \"s\": 19, \"t\": 20, \"u\": 21, \"v\": 22, \"w\": 23, \"x\": 24, \"y\": 25, \"z\": 26}\n\nvar Start"}}},
	{"map used", []edit{{"c/c.go", "func Of", "func Name(s string) int { return names[s] }\n\nfunc Of"}, {"b/b.go", "return c.Of(4).Get()", "return c.Of(4).Get() + c.Name(\"z\")"}}},
	{"reflection by name", []edit{{"main.go", "fmt.Println(b.Keep())", "fmt.Println(b.Keep(), reflect.ValueOf(b.New()).MethodByName(\"Gen\"+\"eric\").Call(nil)[0])"}}},
	{"package gone", []edit{{"a/a.go", ", c.Start, c.Of(\"s\").Get()", ""}, {"a/a.go", "import (\n\t\"fmt\"\n\n\t\"app/c\"\n)", `import "fmt"`}}},
	{"functions gone", []edit{{"a/a.go", " + many(x)", ""}, {"a/many.go", "", "package a\n"}}},
	{"net and crypto", []edit{{"main.go", "\"strings\"\n", "\"strings\"\n\t\"net/http\"\n\t\"net/http/httptest\"\n\t\"crypto/sha256\"\n"}, {"main.go", "frames()\n\tdefer", "frames()\n\trec := httptest.NewRecorder()\n\thttp.NotFound(rec, nil)\n\tfmt.Printf(\"%d %x\\n\", rec.Code, sha256.Sum256(rec.Body.Bytes()))\n\tdefer"}}},
	{"body after net", []edit{{"b/b.go", "for range n {", "for i := range n {\n\t\tprintln(i)"}}},
}

func manyFunctions(n int) string {
	var b strings.Builder
	b.WriteString("package a\n\nfunc many(x int) int {\n\tswitch x {\n")
	for i := range n {
		s := fmt.Sprintf("%04d", i)
		b.WriteString("\tcase " + strings.TrimLeft(s, "0") + "1: return f" + s + "(x)\n")
	}
	b.WriteString("\t}\n\treturn 0\n}\n")
	for i := range n {
		s := fmt.Sprintf("%04d", i)
		b.WriteString("\n//go:noinline\nfunc f" + s + "(x int) int { println(\"f" + s + "\", x); return x + 1" + s + " }\n")
	}
	return b.String()
}

func TestEditSequence(t *testing.T) {
	s := newSession(t, sequenceApp)
	files := map[string]string{}
	for name, text := range sequenceApp {
		files[name] = text
	}
	s.link()
	for i, step := range sequence {
		if raceDetector && i >= len(sequence)-2 {
			break // a program ten times as large
		}
		applyStep(t, s, files, step.edits)
		if raceDetector && i%2 == 1 {
			continue // two steps at once
		}
		s.link()
		t.Logf("%-28s %s", step.name, s.mode)
	}
}

// TestEditSequenceBack walks between states of the sequence in random order.
func TestEditSequenceBack(t *testing.T) {
	plain(t)
	s := newSession(t, sequenceApp)
	states := []map[string]string{sequenceApp}
	files := map[string]string{}
	for name, text := range sequenceApp {
		files[name] = text
	}
	for _, step := range sequence {
		applyStep(t, s, files, step.edits)
		state := map[string]string{}
		for name, text := range files {
			state[name] = text
		}
		states = append(states, state)
	}
	seed := rand.Int63()
	r := rand.New(rand.NewSource(seed))
	for i := range 20 {
		n := r.Intn(len(states))
		for name := range files {
			if _, ok := states[n][name]; !ok {
				s.m.Write(t, name, "package "+strings.SplitN(name, "/", 2)[0]+"\n")
			}
		}
		for name, text := range states[n] {
			s.m.Write(t, name, text)
		}
		s.link()
		t.Logf("%d: state %d %s", i, n, s.mode)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func applyStep(t *testing.T, s *session, files map[string]string, edits []edit) {
	t.Helper()
	for _, e := range edits {
		if !strings.Contains(files[e.file], e.old) {
			t.Fatalf("%s has no %q", e.file, e.old)
		}
		files[e.file] = changed(files[e.file], e)
		s.m.Write(t, e.file, files[e.file])
	}
}

// changed is the text of a file after an edit.
func changed(text string, e edit) string {
	if e.old == "" {
		return e.new
	}
	return strings.Replace(text, e.old, e.new, 1)
}

// TestEditSequenceCgo takes the last steps with the standard library's cgo
// packages.
func TestEditSequenceCgo(t *testing.T) {
	plain(t)
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no C compiler: the go command builds without cgo then")
	}
	s := newSession(t, sequenceApp)
	files := maps.Clone(sequenceApp)
	for i, step := range sequence {
		applyStep(t, s, files, step.edits)
		if i >= len(sequence)-2 {
			s.link()
			t.Logf("%-28s %s", step.name, s.mode)
		}
	}
}

// TestCgoGone drops the import that brings the standard library's C code.
func TestCgoGone(t *testing.T) {
	plain(t)
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no C compiler: the go command builds without cgo then")
	}
	s := newSession(t, map[string]string{"main.go": hello})
	s.m.Env = []string{"CGO_ENABLED=1"}
	s.link()
	for i := range 2 {
		s.m.Write(t, "net.go", "package main\n\nimport \"net\"\n\nfunc init() { println(net.ParseIP(\"::1\").String()) }\n")
		s.link()
		s.m.Write(t, "main.go", strings.Replace(hello, "hello", fmt.Sprint("hello ", i), 1))
		if s.link(); s.mode != "relink" {
			t.Errorf("a body edit with C code linked is a %s link", s.mode)
		}
		s.m.Remove(t, "net.go")
		s.link()
	}
}
