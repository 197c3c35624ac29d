//go:build linux

package reflex_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hotreflex/hr/internal/reflex"
)

// The pieces of random patterns and paths: few letters, so that much matches.
// ** is left out: it is a listed difference.
var (
	regexPieces = []string{"a", "b", "c", ".", ".*", "[ab]", "(a|b)", "/", "^", "$", `\.go$`, `\.txt`, "a/", "^d", `\b`, "b+", "c?", `\.`}
	globPieces  = []string{"*", "?", "a", "b", "[ab]", "[^a]", "/", "*/", "*.go", ".txt", "c"}
	names       = []string{"a", "b", "c", "ab", "ba", "abc", "a.go", "b.go", "ab.go", "c.txt", ".b", "a~", "b.swp", "#a#", "a.#b", ".DS_Store"}
	dirs        = []string{"da", "db", "dc", "a.d", "b.go.d", ".git", ".hg"} // never a file's name
)

func pick(r *rand.Rand, pieces []string, most int) string {
	var b strings.Builder
	for range 1 + r.IntN(most) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

// randomLine is an entry of a config without its command.
func randomLine(r *rand.Rand) string {
	var flags []string
	for range r.IntN(4) {
		switch r.IntN(4) {
		case 0:
			flags = append(flags, "-r", "'"+pick(r, regexPieces, 3)+"'")
		case 1:
			flags = append(flags, "-R", "'"+pick(r, regexPieces, 4)+"'")
		case 2:
			flags = append(flags, "-g", "'"+globPattern(r)+"'")
		case 3:
			flags = append(flags, "-G", "'"+globPattern(r)+"'")
		}
	}
	if r.IntN(8) == 0 {
		flags = append(flags, "--all")
	}
	return strings.Join(flags, " ")
}

func globPattern(r *rand.Rand) string {
	for {
		if p := pick(r, globPieces, 4); !strings.Contains(p, "**") {
			return p
		}
	}
}

func randomPath(r *rand.Rand) string {
	path := ""
	for range r.IntN(4) {
		path += dirs[r.IntN(len(dirs))] + "/"
	}
	return path + names[r.IntN(len(names))]
}

// compileLines returns random lines that compile, with their matchers.
func compileLines(t *testing.T, r *rand.Rand, n int) (entries []string, matchers []*reflex.Matcher) {
	for len(entries) < n {
		entry := randomLine(r) + " -- echo {}"
		lines, err := reflex.ReadConfig(strings.NewReader(entry), "random")
		if err != nil {
			t.Fatalf("%s: %v", entry, err)
		}
		m, err := reflex.NewMatcher(&lines[0])
		if err != nil {
			continue // "b++" and the like
		}
		entries, matchers = append(entries, entry), append(matchers, m)
	}
	return entries, matchers
}

// TestRandomMatching has both programs and the matcher select among random
// paths by random patterns.
func TestRandomMatching(t *testing.T) {
	rounds := 1
	if *full {
		rounds = 6
	}
	for range rounds {
		seed := rand.Uint64()
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			matchRound(t, rand.New(rand.NewPCG(seed, 0)))
		})
	}
}

var echoed = regexp.MustCompile(`^\[(\d+)\] (.*)$`)

func matchRound(t *testing.T, r *rand.Rand) {
	const lines, files = 25, 30
	entries, matchers := compileLines(t, r, lines)
	paths := map[string]bool{}
	for len(paths) < files {
		paths[randomPath(r)] = true
	}
	want := map[string]bool{}
	for path := range paths {
		for i, m := range matchers {
			if m.Match(path) {
				want[fmt.Sprintf("%d %s", i, path)] = true
			}
		}
	}
	conf := filepath.Join(t.TempDir(), "reflex.conf")
	if err := os.WriteFile(conf, []byte(strings.Join(entries, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, sd := range sides(t) {
		dir := t.TempDir()
		for path := range paths {
			if err := makeFile(dir, path, "first"); err != nil {
				t.Fatal(err)
			}
		}
		w := begin(t, sd, dir, []string{"-c", conf}, "")
		w.awaitWatches()
		expect := map[string]bool{}
		for path := range paths {
			if err := makeFile(dir, path, time.Now().String()); err != nil {
				t.Fatal(err)
			}
			for i := range matchers {
				if key := fmt.Sprintf("%d %s", i, path); want[key] {
					expect[key] = true
				}
			}
		}
		got := map[string]bool{}
		for _, line := range w.take(len(expect), time.Second) {
			m := echoed.FindStringSubmatch(line)
			if m == nil {
				t.Fatalf("%s printed %q", sd.name, line)
			}
			got[strings.TrimLeft(m[1][:len(m[1])-1], "0")+m[1][len(m[1])-1:]+" "+m[2]] = true
		}
		for key := range got {
			if !expect[key] {
				t.Errorf("%s selected %s, we do not", sd.name, describe(key, entries))
			}
		}
		for key := range expect {
			if !got[key] {
				t.Errorf("we select %s, %s did not", describe(key, entries), sd.name)
			}
		}
		if t.Failed() {
			t.Logf("paths: %q", slices.Sorted(maps.Keys(paths)))
		}
	}
}

func describe(key string, entries []string) string {
	number, path, _ := strings.Cut(key, " ")
	i := 0
	fmt.Sscan(number, &i)
	return fmt.Sprintf("%q by %s", path, entries[i])
}

// TestPruningIsSound wants nothing selected below a directory that is not
// watched.
func TestPruningIsSound(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	lines, paths := 100, 1000
	if *full {
		lines, paths = 300, 2000
	}
	entries, matchers := compileLines(t, r, lines)
	pruned := 0
	for range paths {
		path := randomPath(r)
		dir := path[:strings.LastIndexByte(path, '/')+1]
		if dir == "" {
			continue
		}
		for i, m := range matchers {
			if m.Prunes(dir) {
				pruned++
				if m.Match(path) {
					t.Fatalf("seed %d: %s does not watch %s and selects %s", seed, entries[i], dir, path)
				}
			}
		}
	}
	if pruned == 0 {
		t.Errorf("seed %d: nothing was pruned", seed)
	}
}
