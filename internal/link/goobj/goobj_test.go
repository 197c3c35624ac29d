package goobj

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const source = `package p

import "strings"

type T struct{ s []string }

func (t *T) Add(s string) { t.s = append(t.s, strings.ToUpper(s)) }

func Max[E int | string](a, b E) E { if a > b { return a }; return b }

var Table = map[string]func(int, int) int{"max": Max[int]}
`

// compile makes the archive of a small package.
func compile(t testing.TB) []byte {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module p\n\ngo 1.24\n", "p.go": source} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "list", "-export", "-f", "{{.Export}}", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "PWD="+dir)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func limits() Limits {
	return Limits{Builtins: 1000, Ignored: func(k uint8) bool { return k >= 12 && k <= 21 }, Known: func(k uint8) bool { return k < 40 }}
}

func TestArchive(t *testing.T) {
	a, err := ParseArchive(compile(t))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(a.Header, "go object ") || len(a.ContentID) != 20 || len(a.Objects) != 1 {
		t.Fatalf("header %q, content %q, %d objects", a.Header, a.ContentID, len(a.Objects))
	}
	o := a.Objects[0]
	if err := o.Check(limits()); err != nil {
		t.Fatal(err)
	}
	names := map[string]*Sym{}
	for i := range o.NSyms() {
		names[o.Name(i)] = o.Sym(i)
	}
	if s := names["p.(*T).Add"]; s == nil || s.Size() == 0 || s.ABI() != 1 {
		t.Errorf("method is %v", s)
	}
	if s := names["type:p.T"]; s == nil || s.Flag()&GoType == 0 {
		t.Errorf("type is %v", s)
	}
	imports := o.Imports()
	if len(imports) == 0 || imports[0].Fingerprint == (Fingerprint{}) {
		t.Errorf("imports are %v", imports)
	}
}

func TestContentIDNeedsContent(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"build id \"aaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbb\"\n", "bbbbbbbbbbbbbbbbbbbb"},
		{"build id \"aaaaaaaaaaaaaaaaaaaa/aaaaaaaaaaaaaaaaaaaa\"\n", ""},
		{"build id \"a/b\"\n", ""},
		{"build id \"\"\n", ""},
		{"\n", ""},
	} {
		if got := contentID([]byte(tt.text)); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
}

// TestDamaged cuts the archive short and flips bits: each must be an error or
// an object whose every record can be visited.
func TestDamaged(t *testing.T) {
	data := compile(t)
	for n := 0; n < len(data); n += 1 + len(data)/500 {
		visit(data[:n])
	}
	for n := 0; n < 20000; n++ {
		at := n * 7919 % len(data)
		damaged := bytes.Clone(data)
		damaged[at] ^= 1 << (n % 8)
		visit(damaged)
	}
}

func FuzzArchive(f *testing.F) {
	f.Add(compile(f))
	f.Add([]byte(arMagic))
	f.Fuzz(func(t *testing.T, data []byte) { visit(data) })
}

// visit touches everything that a checked object offers.
func visit(data []byte) {
	a, err := ParseArchive(data)
	if err != nil {
		return
	}
	for _, o := range a.Objects {
		if o.Check(limits()) != nil {
			continue
		}
		o.Imports()
		for i := 1; i < o.NPackages(); i++ {
			o.Package(i)
		}
		for i := range o.NFiles() {
			o.File(i)
		}
		for i := range o.NRefNames() {
			o.RefName(i)
		}
		for i := range o.NHash {
			o.Hash(i)
		}
		for i := range o.NHash64 {
			o.Hash64(i)
		}
		for i := range o.NDefs() {
			for _, r := range o.Relocs(i) {
				_ = r.Ref()
			}
			o.Auxs(i)
			if info, err := ParseFuncInfo(o.Data(i)); err == nil {
				for j := range info.NInline() {
					info.Inline(j)
				}
				for j := range info.NFiles() {
					info.File(j)
				}
			}
		}
	}
}
