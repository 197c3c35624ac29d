package astcheck

import (
	"bytes"
	"encoding/json"
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"testing"
)

// server is a big file: 131 KB, 4,000 lines.
func server(tb testing.TB) []byte {
	tb.Helper()
	src, err := os.ReadFile(filepath.Join(build.Default.GOROOT, "src", "net", "http", "server.go"))
	if err != nil {
		tb.Fatal(err)
	}
	return src
}

// BenchmarkParse is the yardstick: the cheapest parse that finds syntax errors.
func BenchmarkParse(b *testing.B) {
	src := server(b)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parser.ParseFile(token.NewFileSet(), "server.go", src, parser.SkipObjectResolution); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	src := server(b)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if p := Check("server.go", src); p.Error != nil {
			b.Fatal(p.Error)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	src := server(b)
	old := Check("server.go", src)
	replace := func(from, to string) []byte {
		if !bytes.Contains(src, []byte(from)) {
			b.Fatalf("server.go does not have %q any more", from)
		}
		return bytes.Replace(src, []byte(from), []byte(to), 1)
	}
	for _, bb := range []struct {
		name string
		src  []byte
		want Verdict
	}{
		{"equal", src, Same},
		{"comment", replace("// HTTP server. See RFC 7230 through 7235.", "// HTTP server."), Same},
		{"body", replace("addr := s.Addr", "addr := s.Addr + s.Addr"), Body},
		{"import", replace("import (", "import (\n\t\"embed\""), Header},
		{"broken", append(bytes.Clone(src), "func {"...), Broken},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.SetBytes(int64(len(bb.src)))
			b.ReportAllocs()
			for b.Loop() {
				if _, v, why := Next(old, "server.go", bb.src); v != bb.want {
					b.Fatal(v, why)
				}
			}
		})
	}
}

func BenchmarkJSON(b *testing.B) {
	p := Check("server.go", server(b))
	data, err := json.Marshal(p)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		var q Precheck
		if err := json.Unmarshal(data, &q); err != nil {
			b.Fatal(err)
		}
	}
}
