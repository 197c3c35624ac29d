package astcheck

import (
	"bytes"
	"fmt"
	"go/build"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// module is a small program with all that go list reads from Go files.
var module = map[string]string{
	"go.mod": "module example.com/m\n\ngo 1.24\n",
	"main.go": `//go:debug panicnil=1

// Command m is a test.
package main

import (
	"fmt"

	"example.com/m/assets"
	"example.com/m/leaf"
)

//go:generate echo hello
func main() { fmt.Println(leaf.Hello(assets.Text)) }
`,
	"assets/assets.go": `// Package assets holds files.
package assets

import (
	_ "embed"
	e "embed"
)

//go:embed a.txt
var Text string

//go:embed a.txt b*.txt
var Files e.FS
`,
	"assets/a.txt": "a", "assets/b1.txt": "b", "assets/c.txt": "c",
	"leaf/leaf.go": `package leaf

import (
	"strings"
	_ "unsafe"
)

//go:linkname now time.now
func now() (int64, int32, int64)

// Hello greets.
func Hello(name string) string {
	return "hello, " + strings.ToUpper(name)
}
`,
	"leaf/leaf.s":        "\n",
	"leaf/leaf_dev.go":   "//go:build dev\n\npackage leaf\n\nimport \"os\"\n\nvar _ = os.Args\n",
	"leaf/leaf_prod.go":  "//go:build !dev\n\npackage leaf\n\nimport \"io\"\n\nvar _ io.Reader\n",
	"native/native.go":   "package native\n\n// #cgo LDFLAGS: -lm\n// #include <math.h>\nimport \"C\"\n\nfunc Root(x float64) float64 { return float64(C.sqrt(C.double(x))) }\n",
	"native/exported.go": "package native\n\nimport \"C\"\n\n//export Twice\nfunc Twice(x C.int) C.int { return 2 * x }\n",
}

// listFields are all fields of go list, but for Doc, which is comment text, and
// Stale and StaleReason, which tell of the build cache. Export and BuildID are
// empty without -export.
const listFields = "Dir,ImportPath,ImportComment,Name,Target,Shlib,Root,Goroot,Standard,BinaryOnly,ForTest," +
	"DepOnly,Module,Match,ConflictDir,DefaultGODEBUG,GoFiles,CgoFiles,CompiledGoFiles,IgnoredGoFiles," +
	"IgnoredOtherFiles,CFiles,CXXFiles,MFiles,HFiles,FFiles,SFiles,SwigFiles,SwigCXXFiles,SysoFiles," +
	"TestGoFiles,XTestGoFiles,EmbedPatterns,EmbedFiles,TestEmbedPatterns,TestEmbedFiles,XTestEmbedPatterns," +
	"XTestEmbedFiles,CgoCFLAGS,CgoCPPFLAGS,CgoCXXFLAGS,CgoFFLAGS,CgoLDFLAGS,CgoPkgConfig,Imports,ImportMap," +
	"Deps,TestImports,XTestImports,Incomplete,Error,DepsErrors"

func goList(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command(filepath.Join(build.Default.GOROOT, "bin", "go"),
		append([]string{"list", "-deps", "-json=" + listFields}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off", "GOTOOLCHAIN=local", "CGO_ENABLED=1", "GO111MODULE=on")
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("go list: %w\n%s", err, errOut.Bytes())
	}
	return out, err
}

// TestVerdictAgainstGoList edits a module at random. As long as all verdicts
// are same or body, go list must print what it printed before.
func TestVerdictAgainstGoList(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	state := make(map[string][]byte)
	checks := make(map[string]Precheck)
	write := func(name string, src []byte) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, src, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range module {
		write(name, []byte(text))
		if strings.HasSuffix(name, ".go") {
			state[name] = []byte(text)
			checks[name] = Check(name, []byte(text))
		}
	}
	names := slices.Sorted(maps.Keys(state))
	before, err := goList(dir, "./...")
	if err != nil {
		t.Fatal(err)
	}

	most := 50
	if testing.Short() {
		most = 15
	}
	lists, steps := 0, map[Verdict]int{}
	for lists < most {
		// Several edits, each judged against the state before it, then one list.
		reload := false
		var history strings.Builder
		for range 1 + r.IntN(6) {
			name := names[r.IntN(len(names))]
			src := edit(r, state[name])
			p, v, why := Next(checks[name], name, src)
			steps[v]++
			if v == Broken {
				continue // as a watcher does: the last good state stays
			}
			fmt.Fprintf(&history, "%s: %v, %s\n%s\n--\n", name, v, why, src)
			write(name, src)
			state[name], checks[name] = src, p
			reload = reload || v == Header
		}
		after, err := goList(dir, "./...")
		lists++
		switch {
		case !reload && err != nil:
			t.Fatalf("verdicts of at most body, but go list fails: %v\n%s", err, &history)
		case !reload && !bytes.Equal(before, after):
			t.Fatalf("verdicts of at most body, but go list differs\n%s\n%s", &history, firstDifference(before, after))
		case err != nil || r.IntN(10) == 0:
			// A header edit may have made nonsense; and long damaged files drift
			// away from anything real. Start again.
			for _, name := range names {
				write(name, []byte(module[name]))
				state[name], checks[name] = []byte(module[name]), Check(name, []byte(module[name]))
			}
			if after, err = goList(dir, "./..."); err != nil {
				t.Fatal(err)
			}
		}
		before = after
	}
	t.Logf("%d lists, verdicts %v", lists, steps)
	for _, v := range []Verdict{Same, Body, Header, Broken} {
		if steps[v] == 0 {
			t.Errorf("no edit was judged %v: the test tries too little", v)
		}
	}
}

func firstDifference(a, b []byte) string {
	la, lb := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for i := range min(len(la), len(lb)) {
		if la[i] != lb[i] {
			return fmt.Sprintf("line %d: %s | %s", i, la[i], lb[i])
		}
	}
	return "one is longer"
}

// edit makes one change of the kind that people make, or a random one.
func edit(r *rand.Rand, src []byte) []byte {
	s := string(src)
	replace := func(pairs ...string) []byte {
		for range 4 * len(pairs) { // most concern other files than this one
			i := 2 * r.IntN(len(pairs)/2)
			from, to := pairs[i], pairs[i+1]
			if r.IntN(2) == 0 {
				from, to = to, from
			}
			if strings.Contains(s, from) {
				return []byte(strings.Replace(s, from, to, 1))
			}
		}
		return damage(r, src)
	}
	switch r.IntN(8) {
	case 0:
		return mess(r, src)
	case 1:
		return damage(r, src)
	case 2: // imports: names, order, repetition, paths
		return replace(
			"\t\"strings\"\n\t_ \"unsafe\"\n", "\t_ \"unsafe\"\n\t\"strings\"\n",
			"\t\"strings\"\n", "\tstrings \"strings\"\n",
			"\t_ \"embed\"\n\te \"embed\"\n", "\te \"embed\"\n\t_ \"embed\"\n",
			"\t\"fmt\"\n", "\t\"fmt\"\n\t_ \"fmt\"\n",
			"\t\"fmt\"\n", "\t\"fmt\"\n\t_ \"errors\"\n",
			"import \"io\"", "import (\"io\"; _ \"sort\")",
			"\"example.com/m/leaf\"", "leaf \"example.com/m/leaf\"",
		)
	case 3: // embedding
		return replace(
			"a.txt b*.txt", "b*.txt a.txt",
			"a.txt b*.txt", "a.txt\t\"b*.txt\" `a.txt`",
			"a.txt b*.txt", "c.txt b*.txt",
			"//go:embed a.txt b", "//go:embed a.txt\n//go:embed b",
			"//go:embed a.txt\n", "//go:embedded a.txt\n",
			"//go:embed a.txt\n", "//go:embed \"a.txt\n",
		)
	case 4: // constraints
		return replace(
			"//go:build dev\n", "//go:build !(!dev)\n",
			"//go:build !dev\n", "//go:build !dev && !test\n",
			"//go:build !dev\n\n", "// +build !dev\n\n",
			"//go:build !dev\n\n", "// +build !dev\n",
			"//go:build !dev\n\n", "/* a */ //go:build !dev\n\n",
			"//go:build !dev\n\n", "//go:build !dev\n//go:build !dev\n\n",
			"package leaf\n", "//go:build linux\npackage leaf\n",
		)
	case 5: // directives and cgo
		return replace(
			"//go:debug panicnil=1\n", "//go:debug panicnil=0\n",
			"//go:debug panicnil=1\n", "//go:debug\tpanicnil=1\n",
			"//go:debug panicnil=1\n", "// go:debug panicnil=1\n",
			"package main\n", "package main\n//go:debug asynctimerchan=1\n",
			"-lm", "-lm -lc",
			"<math.h>\nimport", "<math.h>\n\nimport",
			"<math.h>", "<math.h> // maths",
			"//export Twice\n", "//export Twice\n\n",
			"now time.now", "now  time.now",
			"echo hello", "echo bye",
			"//go:generate", "//go:noinline",
		)
	case 6: // package clauses
		return replace(
			"package leaf\n", "package leaf // import \"x\"\n",
			"package leaf\n", "package twig\n",
			"package leaf\n", "package documentation\n",
			"package main\n", "package main;",
		)
	}
	return replace( // bodies and comments
		"\"hello, \"", "\"bye, \"",
		"// Hello greets.", "// Hello greets.\n//\n// Always.",
		"// Package assets holds files.", "// Package assets has files.",
		"strings.ToUpper(name)", "strings.ToLower(name)",
		"2 * x", "x + x",
		"func main() {", "func init() {}\n\nfunc main() {",
	)
}
