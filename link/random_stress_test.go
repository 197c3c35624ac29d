//go:build stress

package link_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/hotreflex/hr/link"
)

// TestRandomEdits mixes versions of the files of the edit sequence at random,
// lines shifted at random, and judges each program that compiles against a link
// from nothing and the output of the toolchain's. LINK_EDITS is their number.
func TestRandomEdits(t *testing.T) {
	edits := 300
	if s := os.Getenv("LINK_EDITS"); s != "" {
		edits, _ = strconv.Atoi(s)
	}
	s := newSession(t, sequenceApp)
	versions := map[string][]string{}
	files := maps.Clone(sequenceApp)
	keep := func() {
		for name, text := range files {
			if !slices.Contains(versions[name], text) {
				versions[name] = append(versions[name], text)
			}
		}
	}
	keep()
	for _, step := range sequence {
		applyStep(t, s, files, step.edits)
		keep()
	}
	names := slices.Sorted(maps.Keys(versions))
	seed := rand.Int63()
	r := rand.New(rand.NewSource(seed))
	t.Logf("seed %d", seed)
	good, modes := 0, map[string]int{}
	for n := 0; good < edits && n < 4*edits; n++ {
		name := names[r.Intn(len(names))]
		text := versions[name][r.Intn(len(versions[name]))]
		for i := range r.Intn(4) {
			text += fmt.Sprintf("\nfunc extra%d%d() int { println(%d); return %d }\n\nvar keep%d%d = extra%d%d()\n", len(name), i, r.Intn(1000), i, len(name), i, len(name), i)
		}
		s.m.Write(t, name, text)
		req, err := s.m.TryRequest(".")
		if err != nil {
			continue
		}
		good++
		req.Out = filepath.Join(s.dir, fmt.Sprint("random", n))
		res, err := s.inc.Link(context.Background(), req)
		if err != nil {
			t.Fatalf("edit %d of seed %d: %v", n, seed, err)
		}
		modes[res.Mode]++
		want := req
		want.Out = filepath.Join(s.dir, "go")
		if _, err := link.NewToolchain().Link(context.Background(), want); err != nil {
			t.Fatal(err)
		}
		if a, b := run(t, req.Out), run(t, want.Out); a != b {
			t.Fatalf("edit %d of seed %d: program said\n%s\nwith the toolchain's linker\n%s", n, seed, a, b)
		}
		os.Remove(req.Out)
	}
	t.Logf("%d edits, %v", good, modes)
	if good < edits {
		t.Errorf("only %d of %d edits compiled", good, 4*edits)
	}
}
