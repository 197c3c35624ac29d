package edits

import (
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sum hashes all files of a tree but for those that stand aside.
func sum(t *testing.T, dir string) string {
	t.Helper()
	h := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		h.Write([]byte(path + "\x00"))
		h.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func mixedTree(t *testing.T) *Program {
	t.Helper()
	p, err := Make("mixed", t.TempDir(), "", append(os.Environ(), "GOFLAGS=", "GOENV=off", "GOTOOLCHAIN=local", "GOPROXY=off"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestKinds wants every kind to find something to do in the mixed tree, to do
// the same with the same seed, and to be taken back whole.
func TestKinds(t *testing.T) {
	p, q := mixedTree(t), mixedTree(t)
	before := sum(t, filepath.Dir(p.Dir))
	none := []string{"import unknown module", "go.mod replace"} // it requires no module of the cache
	for _, kind := range Kinds() {
		t.Run(kind, func(t *testing.T) {
			done := 0
			for seed := range uint64(8) {
				s := Step{Kind: kind, Seed: seed}
				what, err := p.Apply(s)
				if err != nil {
					t.Fatalf("%s: %v", s, err)
				}
				if what == "" {
					continue
				}
				done++
				again, err := q.Apply(s)
				if err != nil || again != what {
					t.Errorf("%s did %q, then %q (%v)", s, what, again, err)
				}
				for _, x := range []*Program{p, q} {
					if _, err := x.Apply(Step{Kind: Undo}); err != nil {
						t.Fatalf("%s: undo: %v", s, err)
					}
				}
				if sum(t, filepath.Dir(p.Dir)) != before {
					t.Fatalf("%s: %s: not taken back whole", s, what)
				}
			}
			if done == 0 && !slices.Contains(none, kind) {
				t.Errorf("it never found anything to do")
			}
		})
	}
}

// TestSequences takes long sequences back.
func TestSequences(t *testing.T) {
	p := mixedTree(t)
	before := sum(t, filepath.Dir(p.Dir))
	quick := slices.DeleteFunc(Kinds(), func(k string) bool { return k == "save in a build" || k == "slow save" })
	r := rand.New(rand.NewPCG(7, 7))
	for range 200 {
		s := p.Next(r, quick, 0.3)
		if _, err := p.Apply(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	for p.Depth() > 0 {
		if what, err := p.Apply(Step{Kind: Undo}); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	if sum(t, filepath.Dir(p.Dir)) != before {
		t.Error("the tree is not what it was")
	}
}

// TestKindsAreKnown keeps Apply from taking nonsense.
func TestKindsAreKnown(t *testing.T) {
	p := mixedTree(t)
	if _, err := p.Apply(Step{Kind: "nonsense"}); err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("an unknown kind gives %v", err)
	}
}
