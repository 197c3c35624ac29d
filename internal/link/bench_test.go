package link_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hotreflex/hr/internal/link"
	"github.com/hotreflex/hr/internal/link/linktest"
)

// BenchmarkGin links the example service: cold, warm after a body edit of a
// leaf package, and with the toolchain's linker.
func BenchmarkGin(b *testing.B) {
	for _, cgo := range []string{"0", "1"} {
		b.Run("cgo="+cgo, func(b *testing.B) {
			benchmarkModule(b, copyGin(b, cgo), "./cmd/ginsvc", "internal/greet/greet.go", "return ")
		})
	}
}

func copyGin(b *testing.B, cgo string) *linktest.Module {
	dir := b.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../examples/ginsvc")); err != nil {
		b.Fatal(err)
	}
	return &linktest.Module{Dir: dir, Env: []string{"CGO_ENABLED=" + cgo}}
}

// benchmarkModule edits one file to and fro: a statement comes and goes before a text.
func benchmarkModule(b *testing.B, m *linktest.Module, pattern, file, before string) {
	out := b.TempDir()
	if shm, err := os.MkdirTemp("/dev/shm", "hr-link-bench-"); err == nil {
		b.Cleanup(func() { os.RemoveAll(shm) })
		out = shm
	}
	first := m.Request(b, pattern)
	text, err := os.ReadFile(filepath.Join(m.Dir, file))
	if err != nil {
		b.Fatal(err)
	}
	edited := strings.Replace(string(text), before, "println(42); "+before, 1)
	m.Write(b, file, edited)
	b.Cleanup(func() { m.Write(b, file, string(text)) })
	second := m.Request(b, pattern)

	link1 := func(b *testing.B, l link.Linker, r link.Request, name string) {
		r.Out = filepath.Join(out, name)
		if _, err := l.Link(context.Background(), r); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("toolchain", func(b *testing.B) {
		for b.Loop() {
			link1(b, link.NewToolchain(), first, "prog")
		}
	})
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			l := link.NewIncremental(link.Options{})
			link1(b, l, first, "prog")
			b.StopTimer()
			l.Close()
			b.StartTimer()
		}
	})
	b.Run("warm", func(b *testing.B) {
		l := link.NewIncremental(link.Options{})
		defer l.Close()
		link1(b, l, first, "prog")
		i := 0
		phases := map[string]time.Duration{}
		for b.Loop() {
			i++
			r := first
			if i%2 == 1 {
				r = second
			}
			link1(b, l, r, "prog"+string(rune('a'+i%4)))
			for _, p := range l.Phases(r.State) {
				phases[p.Name] += p.Took
			}
		}
		for name, took := range phases {
			b.ReportMetric(float64(took.Microseconds())/1000/float64(i), name+"-ms")
		}
		st := l.Stats()
		b.ReportMetric(float64(st.HeapBytes)/1e6, "heap-MB")
		if st.Relinks != st.Links-1 {
			b.Errorf("%d relinks of %d links", st.Relinks, st.Links)
		}
	})
}

// BenchmarkCaddy links caddy from a copy of its module, which CADDY names.
func BenchmarkCaddy(b *testing.B) {
	dir := os.Getenv("CADDY")
	if dir == "" {
		b.Skip("CADDY does not name a copy of github.com/caddyserver/caddy/v2")
	}
	m := &linktest.Module{Dir: dir, Env: []string{"CGO_ENABLED=0"}}
	benchmarkModule(b, m, "./cmd/caddy", "modules/caddyhttp/vars.go", "return next.ServeHTTP(w, r)")
}
