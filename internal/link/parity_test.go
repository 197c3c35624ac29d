package link_test

import (
	"context"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hotreflex/hr/internal/link"
	"github.com/hotreflex/hr/internal/link/linktest"
)

// TestFunctionSet compares the functions that both linkers find reachable.
func TestFunctionSet(t *testing.T) {
	plain(t)
	if !linktest.Supported() {
		t.Skip("the incremental linker's target is linux/amd64")
	}
	files := map[string]string{}
	for name, text := range sequenceApp {
		files[name] = text
	}
	m := linktest.New(t, files)
	for _, step := range sequence {
		for _, e := range step.edits {
			files[e.file] = changed(files[e.file], e)
			m.Write(t, e.file, files[e.file])
		}
	}
	programs := []struct {
		name, pattern string
		m             *linktest.Module
	}{
		{"sequence", ".", m},
		{"gin", "./cmd/ginsvc", &linktest.Module{Dir: "../../examples/ginsvc"}},
	}
	for _, p := range programs {
		t.Run(p.name, func(t *testing.T) {
			p.m.Env = []string{"CGO_ENABLED=0"}
			compareFunctions(t, p.m.Request(t, p.pattern))
		})
	}
}

func compareFunctions(t *testing.T, r link.Request) {
	inc := link.NewIncremental(link.Options{})
	defer inc.Close()
	if _, err := inc.Link(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	ours := inc.Functions(r.State)
	for i, name := range ours {
		ours[i] = strings.ReplaceAll(name, "·", ".") // as the symbol table has it
	}

	real := r
	real.Out = filepath.Join(t.TempDir(), "real")
	real.Flags = []string{"-w", "-buildmode=exe"} // with a symbol table
	for _, f := range r.Flags {
		if strings.HasPrefix(f, "-X") {
			real.Flags = append(real.Flags, f)
		}
	}
	if _, err := link.NewToolchain().Link(context.Background(), real); err != nil {
		t.Fatal(err)
	}
	f, err := elf.Open(real.Out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	syms, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	var theirs []string
	for _, s := range syms {
		switch {
		case elf.ST_TYPE(s.Info) != elf.STT_FUNC, strings.HasPrefix(s.Name, "go:buildid"),
			s.Name == "runtime.text", s.Name == "runtime.etext":
		default:
			// The symbol table marks functions of the old calling convention.
			theirs = append(theirs, strings.TrimSuffix(s.Name, ".abi0"))
		}
	}
	clean := func(names []string) []string {
		slices.Sort(names)
		return slices.Compact(names)
	}
	ours, theirs = clean(ours), clean(theirs)
	t.Logf("%d functions, with the toolchain's linker %d", len(ours), len(theirs))
	for _, d := range []struct {
		what string
		a, b []string
	}{{"only ours", ours, theirs}, {"only theirs", theirs, ours}} {
		n := 0
		for _, name := range d.a {
			if _, ok := slices.BinarySearch(d.b, name); !ok {
				if n++; n < 20 {
					t.Errorf("%s: %s", d.what, name)
				}
			}
		}
	}
}

// TestBuildInfo reads the build info as "go version -m" does.
func TestBuildInfo(t *testing.T) {
	if !linktest.Supported() {
		t.Skip("the incremental linker's target is linux/amd64")
	}
	const info = "path\tapp\nmod\tapp\t(devel)\t\nbuild\tCGO_ENABLED=0\n"
	m := linktest.New(t, map[string]string{"main.go": `package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

var set, unset = "a", "b"

func main() {
	bi, ok := debug.ReadBuildInfo()
	fmt.Println(ok, bi.Path, runtime.Version(), set, unset)
}
`})
	m.Env = []string{"CGO_ENABLED=0"}
	r := m.Request(t, ".")
	r.ModInfo = "0w\xaf\f\x92t\b\x02A\xe1\xc1\a\xe6\xd6\x18\xe6" + info + "\xf92C1\x86\x18 r\x00\x82B\x10A\x16\xd8\xf2"
	r.Flags = append(r.Flags, "-X", "main.set=with a value", "-X=main.unset=")
	inc := link.NewIncremental(link.Options{Check: true})
	defer inc.Close()
	if _, err := inc.Link(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	want := "true app " + r.GoVersion + " with a value \nexit 0"
	if out := run(t, r.Out); out != want {
		t.Errorf("program said %q, want %q", out, want)
	}
	out, err := exec.Command("go", "version", "-m", r.Out).Output()
	if err != nil || !strings.Contains(string(out), r.GoVersion) || !strings.Contains(string(out), "CGO_ENABLED=0") {
		t.Errorf("go version -m: %v\n%s", err, out)
	}
	if st, err := os.Stat(r.Out); err != nil || st.Mode().Perm() != 0o755 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
}
