package link_test

import (
	"context"
	"maps"
	"path/filepath"
	"strings"
	"testing"
)

// stacks makes goroutines whose stacks grow, hold pointers in many frames and
// unwind by panics, while the collector runs: that takes right stack maps, and
// right tables of functions.
const stacks = `package main

import (
	"fmt"
	"reflect"
	"sync"
)

type tree struct {
	left, right *tree
	names       map[string][]*tree
	any         any
}

func grow(depth int, t *tree) (n int) {
	var pad [40]*tree
	pad[depth%40] = &tree{left: t, any: depth, names: map[string][]*tree{"x": {t}}}
	defer func() {
		if r := recover(); r != nil {
			n += r.(int)
		}
	}()
	if depth == 0 {
		panic(7)
	}
	call := reflect.ValueOf(grow).Call([]reflect.Value{reflect.ValueOf(depth - 1), reflect.ValueOf(pad[depth%40])})
	if depth%10 == 0 {
		panic(int(call[0].Int()) + 1)
	}
	for _, p := range pad {
		if p != nil && (p.any != depth || p.left != t || p.names["x"][0] != t) {
			panic("a pointer is lost")
		}
	}
	return int(call[0].Int()) + 1
}

func init() {
	sums := make(chan int)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() { sums <- grow(60+i, nil) })
	}
	go func() { wg.Wait(); close(sums) }()
	total := 0
	for n := range sums {
		total += n
	}
	fmt.Println("grown", total)
}
`

// TestRuntimeChecks runs a program that was linked in steps under the runtime's
// own checks: of the collector, which trusts the pointer masks, and of the FIPS
// module, which sums its own code; and with a collector that never rests.
func TestRuntimeChecks(t *testing.T) {
	plain(t)
	s := newSession(t, sequenceApp)
	files := maps.Clone(sequenceApp)
	for i, step := range sequence {
		applyStep(t, s, files, step.edits)
		if i%6 == 0 {
			s.link()
		}
	}
	applyStep(t, s, files, []edit{
		{"main.go", "\"crypto/sha256\"\n", "\"crypto/sha256\"\n\t\"crypto/fips140\"\n"},
		{"main.go", "\tdebug.SetGCPercent(5)\n", ""}, // GOGC says it
		{"main.go", "frames()\n\trec", "frames()\n\tdefer fmt.Println(\"fips\", fips140.Enabled())\n\trec"},
	})
	s.m.Write(t, "stacks.go", stacks)
	s.link()
	r := s.m.Request(t, ".")
	r.Out = filepath.Join(s.dir, "checked")
	if _, err := s.inc.Link(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	plain := run(t, r.Out)
	if !strings.Contains(plain, "grown") {
		t.Fatalf("program said\n%s", plain)
	}
	for _, setting := range []string{
		"GODEBUG=gccheckmark=1", "GODEBUG=gcstoptheworld=2", "GODEBUG=clobberfree=1", "GODEBUG=checkfinalizers=1",
		"GODEBUG=gccheckmark=1,gcstoptheworld=1,clobberfree=1", "GODEBUG=efence=1",
		"GODEBUG=fips140=on", "GODEBUG=fips140=debug",
		"GOGC=1", "GOGC=5", "GOGC=20",
	} {
		t.Run(setting, func(t *testing.T) {
			name, value, _ := strings.Cut(setting, "=")
			t.Setenv(name, value)
			want := plain
			if strings.HasPrefix(value, "fips140") {
				want = strings.Replace(plain, "fips false", "fips true", 1)
			}
			got := run(t, r.Out)
			if value == "fips140=debug" || value == "checkfinalizers=1" {
				// These print what they find.
				if !strings.HasSuffix(got, "exit 0") {
					t.Errorf("program said\n%s", got)
				}
				return
			}
			if got != want {
				t.Errorf("program said\n%s\nwithout\n%s", got, want)
			}
		})
	}
}
