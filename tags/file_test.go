package tags

import (
	"errors"
	"fmt"
	"go/build"
	"go/build/constraint"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func linuxContext() Context {
	return Context{GOOS: "linux", GOARCH: "amd64", ArchLevel: "GOAMD64=v2", GoVersion: "go1.26.8", CGO: true}
}

func TestFile(t *testing.T) {
	dev := linuxContext()
	dev.Tags = []string{"dev"}
	noCgo := dev
	noCgo.CGO = false
	android := Context{GOOS: "android", GOARCH: "arm64", GoVersion: "go1.26"}
	for _, tt := range []struct {
		ctx        Context
		name, expr string
		importsC   bool
		why        string // "" means in
	}{
		{dev, "main.go", "", false, ""},
		{dev, "main.go", "dev", false, ""},
		{dev, "main.go", "!dev", false, "excluded by //go:build !dev"},
		{dev, "main.go", "ignore", false, "excluded by //go:build ignore"},
		{dev, "main.go", "prod && !dev", false, "excluded by //go:build prod && !dev"},
		{dev, "main.go", "unix && go1.26 && gc && cgo && amd64.v2", false, ""},
		{dev, "main.go", "go1.27", false, "excluded by //go:build go1.27"},
		{dev, "main.go", "amd64.v3", false, "excluded by //go:build amd64.v3"},
		{dev, "main.go", "race || msan || asan", false, "excluded by //go:build race || msan || asan"},
		{dev, "main.go", "dev &&", false, ""}, // does not parse: the build must see it
		{dev, "main_test.go", "", false, "test file"},
		{dev, "x_windows_test.go", "", false, "test file"},
		{dev, "x_windows.go", "", false, "file name says windows"},
		{dev, "x_windows_amd64.go", "", false, "file name says windows"},
		{dev, "x_linux_arm64.go", "", false, "file name says arm64"},
		{dev, "x_linux_amd64.go", "", false, ""},
		{dev, "windows.go", "", false, ""},
		{dev, "a_windows.b.go", "", false, "file name says windows"},
		{dev, "x_unix.go", "", false, ""},
		{dev, "x_windows_foo.go", "", false, ""},
		{dev, "_x.go", "", false, "name starts with _"},
		{dev, ".x.go", "", false, "name starts with ."},
		{dev, ".#main.go", "", false, "name starts with ."},
		{dev, "README.md", "", false, "not a file the build reads"},
		{dev, "main.go~", "", false, "not a file the build reads"},
		{dev, "Makefile", "", false, "not a file the build reads"},
		{dev, "asm_amd64.s", "", false, ""},
		{dev, "asm_arm64.s", "", false, "file name says arm64"},
		{dev, "asm.s", "!dev", false, "excluded by //go:build !dev"},
		{dev, "x.syso", "!dev", false, ""},
		{dev, "c.go", "", true, ""},
		{noCgo, "c.go", "", true, "cgo is off"},
		{noCgo, "c.go", "cgo", true, "excluded by //go:build cgo"},
		{android, "x_linux.go", "linux && unix && android", false, ""},
		{android, "x_darwin.go", "", false, "file name says darwin"},
	} {
		got := tt.ctx.File(tt.name, tt.expr, tt.importsC)
		if want := (Decision{In: tt.why == "", Why: tt.why}); got != want {
			t.Errorf("File(%q, %q, %v) = %+v, want %+v", tt.name, tt.expr, tt.importsC, got, want)
		}
	}
}

// asGoBuild is the same context for go/build, whose answer is the standard.
func (c Context) asGoBuild(expr string) *build.Context {
	b := &build.Context{
		GOOS: c.GOOS, GOARCH: c.GOARCH, Compiler: "gc", CgoEnabled: c.CGO,
		BuildTags: c.Tags,
		OpenFile: func(path string) (io.ReadCloser, error) {
			text := "\npackage p\n"
			if expr != "" {
				text = "//go:build " + expr + "\n" + text
			}
			return io.NopCloser(strings.NewReader(text)), nil
		},
	}
	for _, e := range c.Experiments {
		b.ToolTags = append(b.ToolTags, "goexperiment."+e)
	}
	for _, on := range []struct {
		ok  bool
		tag string
	}{{c.Race, "race"}, {c.MSan, "msan"}, {c.ASan, "asan"}} {
		if on.ok {
			b.ToolTags = append(b.ToolTags, on.tag)
		}
	}
	if c.GOARCH == "amd64" {
		var have int
		fmt.Sscanf(c.ArchLevel, "GOAMD64=v%d", &have)
		for i := 1; i <= max(have, 1); i++ {
			b.ToolTags = append(b.ToolTags, fmt.Sprintf("amd64.v%d", i))
		}
	}
	var minor int
	fmt.Sscanf(c.GoVersion, "go1.%d", &minor)
	for i := 1; i <= minor; i++ {
		b.ReleaseTags = append(b.ReleaseTags, fmt.Sprintf("go1.%d", i))
	}
	return b
}

// sameAsGoBuild compares one decision with go/build's.
func sameAsGoBuild(t *testing.T, c Context, name, expr string) {
	t.Helper()
	want, err := c.asGoBuild(expr).MatchFile("dir", name)
	if err != nil {
		want = true // a constraint that does not parse stops the build
	}
	if strings.HasSuffix(name, "_test.go") {
		want = false // MatchFile takes tests, File does not
	}
	got := c.File(name, expr, false)
	if got.In != want {
		t.Errorf("%+v\nFile(%q, %q) = %+v, go/build says %v (%v)", c, name, expr, got, want, err)
	}
	if got.In != (got.Why == "") {
		t.Errorf("File(%q, %q) = %+v: a reason must go with a refusal alone", name, expr, got)
	}
}

var tagPool = strings.Fields(`dev test prod dev2 _x x.y é ignore linux windows darwin ios android illumos
	solaris js plan9 amd64 arm64 386 wasm unix gc gccgo cgo race msan asan boringcrypto
	goexperiment.boringcrypto goexperiment.greenteagc goexperiment.none goexperiment. go1.1 go1.20
	go1.26 go1.27 go1.0 go1.01 go1.x go2 amd64.v1 amd64.v2 amd64.v3 amd64.v4 amd64.v5 amd64.v01
	amd64. arm64.v8.0`)

func randomContext(r *rand.Rand) Context {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	c := Context{
		GOOS:      pick("linux", "windows", "darwin", "ios", "android", "illumos", "solaris", "js", "plan9", "wasip1", "freebsd"),
		GOARCH:    pick("amd64", "amd64", "wasm"),
		GoVersion: pick("go1.26.8", "go1.20", "go1.1", "go1.27rc1"),
		CGO:       r.IntN(2) == 0, Race: r.IntN(4) == 0, MSan: r.IntN(4) == 0, ASan: r.IntN(4) == 0,
	}
	if c.GOARCH == "amd64" {
		c.ArchLevel = pick("", "GOAMD64=v1", "GOAMD64=v3", "GOAMD64=v4")
	}
	for range r.IntN(4) {
		c.Tags = append(c.Tags, pick(tagPool...))
	}
	for range r.IntN(2) {
		c.Experiments = append(c.Experiments, pick("greenteagc", "boringcrypto", "dwarf5"))
	}
	return c
}

func randomExpr(r *rand.Rand, depth int) string {
	switch n := r.IntN(8); {
	case depth == 0 || n < 3:
		return tagPool[r.IntN(len(tagPool))]
	case n < 5:
		return "!(" + randomExpr(r, depth-1) + ")"
	case n < 7:
		return randomExpr(r, depth-1) + [...]string{" && ", "||"}[r.IntN(2)] + randomExpr(r, depth-1)
	}
	return "(" + randomExpr(r, depth-1) + ") || !" + tagPool[r.IntN(len(tagPool))]
}

func randomName(r *rand.Rand) string {
	parts := strings.Fields("a x foo linux windows darwin android amd64 arm64 386 wasm unix test nacl sparc64 plan9 _ . x.y")
	exts := strings.Fields(".go .go .go .go _test.go .s .S .c .h .hpp .syso .md .swig .go~ .x.go")
	name := ""
	for i := range 1 + r.IntN(4) {
		if i > 0 {
			name += "_"
		}
		name += parts[r.IntN(len(parts))]
	}
	return name + exts[r.IntN(len(exts))]
}

func TestFileAgreesWithGoBuild(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	n := 60_000
	if testing.Short() {
		n = 5_000
	}
	for range n {
		expr := ""
		if r.IntN(5) > 0 {
			expr = randomExpr(r, 3)
		}
		sameAsGoBuild(t, randomContext(r), randomName(r), expr)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func FuzzFile(f *testing.F) {
	// The standard library has all forms of names and constraints there are.
	root := filepath.Join(build.Default.GOROOT, "src")
	seen := make(map[string]bool)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || len(seen) > 400 {
			return err
		}
		expr, name := firstConstraint(path), d.Name()
		if key := fmt.Sprint(expr, nameTags(name), filepath.Ext(name)); !seen[key] {
			seen[key] = true
			f.Add(name, expr, "linux", "amd64", "dev,purego", true, uint8(1))
		}
		return nil
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("x_ios.go", "darwin && !(dev || unix)", "ios", "arm64", "a", false, uint8(4))
	f.Fuzz(func(t *testing.T, name, expr, goos, goarch, tagList string, cgo bool, level uint8) {
		if strings.ContainsAny(name, "/\\\x00") || strings.ContainsAny(expr, "\n\r\x00\uFEFF") || name == "" {
			t.Skip("not a base name, or not one line of a file")
		}
		expr = strings.TrimSpace(expr)
		if strings.HasPrefix(expr, "//") || strings.HasPrefix(expr, "/*") {
			t.Skip("a comment, not an expression")
		}
		userTags, err := Split(tagList)
		if err != nil {
			t.Skip("no tags")
		}
		c := Context{GOOS: goos, GOARCH: goarch, Tags: userTags, CGO: cgo, GoVersion: "go1.26.8"}
		if goarch == "amd64" {
			c.ArchLevel = fmt.Sprintf("GOAMD64=v%d", 1+level%4)
		} else if archDefault[goarch] != "" || goarch == "wasm" {
			t.Skip("its feature tags are TestToolTags' matter")
		}
		sameAsGoBuild(t, c, name, expr)
		for _, tag := range Mentioned(expr) {
			if !strings.Contains(expr, tag) {
				t.Errorf("Mentioned(%q) invents %q", expr, tag)
			}
		}
	})
}

// firstConstraint returns the expression of a file's first //go:build line.
func firstConstraint(path string) string {
	src, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(src)) {
		if constraint.IsGoBuild(line) {
			return strings.TrimSpace(strings.TrimPrefix(line, "//go:build"))
		}
		if strings.HasPrefix(line, "package ") {
			break
		}
	}
	return ""
}

func TestMentioned(t *testing.T) {
	for expr, want := range map[string][]string{
		"":                      nil,
		"dev":                   {"dev"},
		"!dev && (a || !dev)":   {"dev", "a"},
		"linux && !(prod||x.y)": {"linux", "prod", "x.y"},
		"dev &&":                nil,
	} {
		if got := Mentioned(expr); !slices.Equal(got, want) {
			t.Errorf("Mentioned(%q) = %q, want %q", expr, got, want)
		}
	}
}

func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want []string
		bad  string // the tag that the error names
		hint string
	}{
		{"", nil, "", ""},
		{"dev", []string{"dev"}, "", ""},
		{"dev,a.b,_9,é", []string{"dev", "a.b", "_9", "é"}, "", ""},
		{",b,,a,", []string{"b", "a"}, "", ""},
		{"dev test", nil, "dev test", "-tags=dev,test"},
		{"dev, test", nil, " test", "-tags=dev,test"},
		{"dev\t", nil, "dev\t", "-tags=dev"},
		{"a,de-v", nil, "de-v", ""},
		{"!dev", nil, "!dev", ""},
		{"'dev'", nil, "'dev'", ""},
	} {
		got, err := Split(tt.in)
		var se *SplitError
		if errors.As(err, &se) != (tt.bad != "") || err == nil && !slices.Equal(got, tt.want) {
			t.Errorf("Split(%q) = %q, %v", tt.in, got, err)
		}
		if se != nil && (se.Tag != tt.bad || se.Hint != tt.hint) {
			t.Errorf("Split(%q): error names %q with hint %q, want %q, %q", tt.in, se.Tag, se.Hint, tt.bad, tt.hint)
		}
	}
}
