package link_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"

	"github.com/hotreflex/hr/internal/link"
	"github.com/hotreflex/hr/internal/link/linktest"
)

// TestSharedArchives links two programs of one module at the same time, edits
// one and forgets it: an archive that both have is open once, and as long as
// one of them has it.
func TestSharedArchives(t *testing.T) {
	if !linktest.Supported() {
		t.Skip("the incremental linker's target is linux/amd64")
	}
	m := linktest.New(t, map[string]string{
		"a/main.go":  "package main\n\nimport (\n\t\"fmt\"\n\n\t\"app/lib\"\n)\n\nfunc main() { fmt.Println(\"a\", lib.Name()) }\n",
		"b/main.go":  "package main\n\nimport (\n\t\"os\"\n\n\t\"app/lib\"\n)\n\nfunc main() { os.Stdout.WriteString(\"b \" + lib.Name() + \"\\n\") }\n",
		"lib/lib.go": "package lib\n\nfunc Name() string { return \"first\" }\n",
	})
	m.Env = []string{"CGO_ENABLED=0"}
	l := link.NewIncremental(link.Options{Check: true})
	defer l.Close()
	dir := t.TempDir()
	request := func(name, version string) link.Request {
		r := m.Request(t, "./"+name)
		r.State, r.Out = name, filepath.Join(dir, name+version)
		return r
	}
	files := func(all ...link.Request) int {
		set := map[string]bool{}
		for _, r := range all {
			for _, p := range append(r.Packages, r.Main) {
				set[p.File] = true
			}
		}
		return len(set)
	}
	says := func(r link.Request, want string) {
		t.Helper()
		if got := run(t, r.Out); got != want+"\nexit 0" {
			t.Errorf("%s says %q, not %q", r.State, got, want)
		}
	}
	open := func(want int) {
		t.Helper()
		if got := l.Stats().Archives; got != want {
			t.Errorf("%d archives are open, not %d", got, want)
		}
	}
	linked := func(r link.Request) {
		if _, err := l.Link(context.Background(), r); err != nil {
			t.Error(err)
		}
	}

	a, b := request("a", "1"), request("b", "1")
	if all := files(a, b); all >= len(a.Packages)+len(b.Packages) {
		t.Fatal("the programs have nothing in common")
	}
	var both sync.WaitGroup
	both.Go(func() { linked(a) })
	both.Go(func() { linked(b) })
	both.Wait()
	says(a, "a first")
	says(b, "b first")
	open(files(a, b))

	m.Write(t, "lib/lib.go", "package lib\n\nfunc Name() string { return \"second\" }\n")
	a = request("a", "2")
	linked(a)
	says(a, "a second")
	open(files(a, b)) // the old lib is b's

	b2 := request("b", "2")
	l.Forget("a")
	open(files(b))
	linked(b2)
	says(b2, "b second")
	open(files(b2))
	if st := l.Stats(); st.Mismatches != 0 || st.Checks != 4 {
		t.Errorf("%d checks, %d mismatches", st.Checks, st.Mismatches)
	}
	l.Forget("b")
	open(0)
	if n := l.Stats().HeapBytes; n != 0 {
		t.Errorf("%d bytes without programs", n)
	}
}
