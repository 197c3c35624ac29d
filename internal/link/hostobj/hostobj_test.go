package hostobj

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/hotreflex/hr/internal/link/goobj"
)

// objects are what the C compiler made of the standard library's cgo packages.
func objects(t testing.TB) [][]byte {
	t.Helper()
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no C compiler: the go command builds without cgo then")
	}
	cmd := exec.Command("go", "list", "-export", "-f", "{{.Export}}", "runtime/cgo", "os/user")
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=1", "PWD="+cmd.Dir)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for _, file := range strings.Fields(string(out)) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		a, err := goobj.ParseArchive(data)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range a.Host {
			all = append(all, m.Data)
		}
	}
	if len(all) < 5 {
		t.Fatalf("%d host objects", len(all))
	}
	return all
}

// visit parses an object and checks what a linker takes for granted.
func visit(t testing.TB, data []byte) *Object {
	o, err := Parse(data)
	if err != nil {
		return nil
	}
	for _, s := range o.Sections {
		if s.Align == 0 || s.Align&(s.Align-1) != 0 {
			t.Errorf("section %s has alignment %d", s.Name, s.Align)
		}
		if s.Class != Zero && uint64(len(s.Data)) != s.Size {
			t.Errorf("section %s has %d of %d bytes", s.Name, len(s.Data), s.Size)
		}
		for _, r := range s.Relocs {
			if int(r.Off)+4 > len(s.Data) || r.Section >= len(o.Sections) || r.Section < 0 && r.Name == "" {
				t.Errorf("section %s has relocation %+v", s.Name, r)
			}
		}
	}
	for _, g := range o.Globals {
		if g.Section < 0 || g.Section >= len(o.Sections) || g.Off > o.Sections[g.Section].Size {
			t.Errorf("global %+v is outside of its section", g)
		}
	}
	return o
}

func TestParse(t *testing.T) {
	globals := map[string]bool{}
	for _, data := range objects(t) {
		o := visit(t, data)
		if o == nil {
			t.Fatal("an object of the standard library is refused")
		}
		for _, g := range o.Globals {
			globals[g.Name] = true
		}
	}
	for _, name := range []string{"x_cgo_init", "_cgo_sys_thread_start"} {
		if !globals[name] {
			t.Errorf("no global %s", name)
		}
	}
}

// TestDamaged cuts objects short and flips bits: each must be an error or an
// object whose parts fit together.
func TestDamaged(t *testing.T) {
	for _, data := range objects(t) {
		for n := 0; n < len(data); n += 1 + len(data)/100 {
			visit(t, data[:n])
		}
		for n := range 3000 {
			damaged := bytes.Clone(data)
			damaged[n*7919%len(data)] ^= 1 << (n % 8)
			visit(t, damaged)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, data := range objects(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { visit(t, data) })
}
