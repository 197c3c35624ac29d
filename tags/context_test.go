package tags

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

func TestKey(t *testing.T) {
	base := Context{
		GOOS: "linux", GOARCH: "amd64", ArchLevel: "GOAMD64=v1", Tags: []string{"a", "b"},
		GoVersion: "go1.26.8", Experiments: []string{"x"}, Flags: []string{"-trimpath"}, Env: []string{"A=b"},
	}
	keys := map[string]string{base.Key(): "base"}
	add := func(name string, c Context) {
		t.Helper()
		if was, ok := keys[c.Key()]; ok {
			t.Errorf("%s has the key of %s", name, was)
		}
		keys[c.Key()] = name
	}
	// Every field counts: one that is forgotten in Key shows here.
	for i := range reflect.TypeFor[Context]().NumField() {
		c := base
		v := reflect.ValueOf(&c).Elem().Field(i)
		name := reflect.TypeFor[Context]().Field(i).Name
		switch v.Interface().(type) {
		case string:
			v.SetString(v.String() + "x")
		case bool:
			v.SetBool(!v.Bool())
		case []string:
			v.Set(reflect.ValueOf([]string{"other"}))
		default:
			t.Fatalf("field %s: a type that the test does not know", name)
		}
		add(name, c)
	}
	c := base
	c.Tags = []string{"b", "a"}
	add("tags in another order", c)
	c.Tags = []string{"ab"}
	add("tags run together", c)
	c.Tags = []string{"a,b"}
	add("tags joined", c)
	c.Tags = []string{"a"}
	c.Experiments = []string{"b", "x"}
	add("a tag moved to another list", c)

	again := base
	again.Tags = append([]string(nil), base.Tags...)
	if again.Key() != base.Key() {
		t.Error("equal contexts have different keys")
	}
	if len(base.Key()) != 64 {
		t.Errorf("key %q is not a SHA-256 in hexadecimal", base.Key())
	}
}

func TestReleases(t *testing.T) {
	for _, tt := range []struct {
		version, tag string
		want         bool
	}{
		{"go1.26.8", "go1.26", true},
		{"go1.26.8", "go1.1", true},
		{"go1.26.8", "go1.27", false},
		{"go1.26.8", "go1.0", false},
		{"go1.26.8", "go1.26.8", false},
		{"go1.26.8", "go1.026", false},
		{"go1.26rc1", "go1.26", true},
		{"go1.26.8 X:greenteagc", "go1.26", true},
		{"go1.26.8-custom", "go1.26", true},
		{"devel go1.27-abcdef12 Mon Jan 1", "go1.27", true},
		{"go1.9", "go1.10", false},
		{"", "go1.1", false},
		{"nonsense", "go1.1", false},
	} {
		if got := (Context{GoVersion: tt.version}).Satisfied(tt.tag); got != tt.want {
			t.Errorf("%q: Satisfied(%q) = %v, want %v", tt.version, tt.tag, got, tt.want)
		}
	}
}

func goCommand(t *testing.T, env []string, args ...string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(build.Default.GOROOT, "bin", "go"), args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GO111MODULE=on", "GOTOOLCHAIN=local")
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go %s with %v: %v\n%s", strings.Join(args, " "), env, err, out)
	}
	return strings.TrimSpace(string(out))
}

// TestToolTags compares the implied tags with the go command's own lists.
func TestToolTags(t *testing.T) {
	universe := make(map[string]bool)
	type result struct {
		ctx  Context
		tags map[string]bool
	}
	var results []result
	for _, env := range [][]string{
		{"GOOS=linux", "GOARCH=amd64", "GOAMD64=v1"},
		{"GOOS=linux", "GOARCH=amd64", "GOAMD64=v4", "GOEXPERIMENT=nogreenteagc,arenas"},
		{"GOOS=linux", "GOARCH=386", "GO386=softfloat"},
		{"GOOS=linux", "GOARCH=arm", "GOARM=6,softfloat"},
		{"GOOS=darwin", "GOARCH=arm64", "GOARM64=v8.3,lse"},
		{"GOOS=linux", "GOARCH=arm64", "GOARM64=v9.2,crypto"},
		{"GOOS=linux", "GOARCH=mips", "GOMIPS=softfloat"},
		{"GOOS=linux", "GOARCH=mips64le", "GOMIPS64=hardfloat"},
		{"GOOS=aix", "GOARCH=ppc64", "GOPPC64=power9"},
		{"GOOS=linux", "GOARCH=riscv64", "GORISCV64=rva22u64"},
		{"GOOS=js", "GOARCH=wasm", "GOWASM=satconv"},
		{"GOOS=linux", "GOARCH=s390x"},
		{"GOOS=linux", "GOARCH=loong64"},
	} {
		out := goCommand(t, env, "list", "-f", `{{join context.ToolTags " "}} {{join context.ReleaseTags " "}}`, "unsafe")
		c := Context{GoVersion: goCommand(t, env, "env", "GOVERSION")}
		for _, kv := range env {
			switch k, v, _ := strings.Cut(kv, "="); k {
			case "GOOS":
				c.GOOS = v
			case "GOARCH":
				c.GOARCH = v
			case "GOEXPERIMENT":
			default:
				c.ArchLevel = kv
			}
		}
		r := result{tags: make(map[string]bool)}
		for _, tag := range strings.Fields(out) {
			r.tags[tag] = true
			universe[tag] = true
			if name, ok := strings.CutPrefix(tag, "goexperiment."); ok {
				c.Experiments = append(c.Experiments, name)
			}
		}
		r.ctx = c
		results = append(results, r)
	}
	for _, tag := range strings.Fields("amd64.v5 arm.4 arm.8 arm64.v8.9 arm64.v9.0 arm64.v10.0 ppc64.power10 riscv64.rva23u64 386.sse2 mips.hardfloat wasm.x go1.99") {
		universe[tag] = true
	}
	for _, r := range results {
		for tag := range universe {
			if got := r.ctx.Satisfied(tag); got != r.tags[tag] {
				t.Errorf("%s/%s %s: Satisfied(%q) = %v, the go command says %v", r.ctx.GOOS, r.ctx.GOARCH, r.ctx.ArchLevel, tag, got, r.tags[tag])
			}
		}
	}
}

// TestOldWasm: before Go 1.26 the features of wasm were options.
func TestOldWasm(t *testing.T) {
	c := Context{GOOS: "js", GOARCH: "wasm", ArchLevel: "GOWASM=satconv", GoVersion: "go1.24.1"}
	if !c.Satisfied("wasm.satconv") || c.Satisfied("wasm.signext") {
		t.Error("GOWASM=satconv of Go 1.24 must hold satconv and no more")
	}
}

func TestDefaultLevel(t *testing.T) {
	for goarch, tag := range map[string]string{
		"amd64": "amd64.v1", "arm": "arm.7", "arm64": "arm64.v8.0", "ppc64le": "ppc64le.power8",
		"riscv64": "riscv64.rva20u64", "386": "386.sse2", "mips": "mips.hardfloat",
	} {
		if !(Context{GOARCH: goarch}).Satisfied(tag) {
			t.Errorf("%s without a level: %s is not satisfied", goarch, tag)
		}
	}
}

// TestPorts: every port of this toolchain is made of known words.
func TestPorts(t *testing.T) {
	for _, port := range strings.Fields(goCommand(t, nil, "tool", "dist", "list")) {
		goos, goarch, _ := strings.Cut(port, "/")
		if !knownOS[goos] || !knownArch[goarch] {
			t.Errorf("port %s is not known", port)
		}
	}
}

// TestKnownWords compares the lists with the toolchain's own, which no public
// package gives.
func TestKnownWords(t *testing.T) {
	path := filepath.Join(build.Default.GOROOT, "src", "internal", "syslist", "syslist.go")
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ours := map[string]map[string]bool{"KnownOS": knownOS, "UnixOS": unixOS, "KnownArch": knownArch}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		spec := g.Specs[0].(*ast.ValueSpec)
		name := spec.Names[0].Name
		theirs := make(map[string]bool)
		for _, e := range spec.Values[0].(*ast.CompositeLit).Elts {
			word, err := strconv.Unquote(e.(*ast.KeyValueExpr).Key.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			theirs[word] = true
		}
		if want := ours[name]; !reflect.DeepEqual(want, theirs) {
			t.Errorf("%s: we have %v, the toolchain %v", name, want, theirs)
		}
		delete(ours, name)
	}
	if len(ours) > 0 {
		t.Errorf("not found in %s: %v", path, fmt.Sprint(ours))
	}
}
