package link_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hotreflex/hr/internal/link"
	"github.com/hotreflex/hr/internal/link/linktest"
)

// damager links a program, and then again with a damaged archive of one of its
// packages: first on top of the good one, then from nothing. That must end as a
// program, for there are bits that mean nothing to a linker, or as a refusal.
type damager struct {
	good     link.Request
	archives [][]byte // of main, of the package it imports, of runtime
	inc      *link.Incremental
	dir      string
	n        int
	refused  int
}

const damageApp = `package main

import "app/a"

type thing struct{ a.Thing }

func (t *thing) More() string { return t.Say() }

var things = map[string]a.Sayer{"x": &thing{}, "y": a.Thing{Name: "y"}}

func main() {
	defer func() { println(recover() != nil) }()
	for name, t := range things {
		println(name, t.Say(), len(a.Max([]int{1}, nil)))
	}
	panic("done")
}
`

const damageLib = `package a

type Sayer interface{ Say() string }

type Thing struct {
	Name string
	next *Thing
}

func (t Thing) Say() string { return "thing " + t.Name }

func Max[T any](a, b []T) []T {
	if len(a) > len(b) {
		return a
	}
	return b
}
`

func newDamager(t testing.TB) *damager {
	if !linktest.Supported() {
		t.Skip("the incremental linker's target is linux/amd64")
	}
	m := linktest.New(t, map[string]string{"main.go": damageApp, "a/a.go": damageLib})
	m.Env = []string{"CGO_ENABLED=0"}
	d := &damager{good: m.Request(t, "."), inc: link.NewIncremental(link.Options{}), dir: t.TempDir()}
	t.Cleanup(d.inc.Close)
	d.archives = make([][]byte, 3)
	for _, p := range append(d.good.Packages, d.good.Main) {
		if i := d.index(p.Path); i >= 0 {
			b, err := os.ReadFile(p.File)
			if err != nil {
				t.Fatal(err)
			}
			d.archives[i] = b
		}
	}
	return d
}

func (d *damager) index(path string) int {
	switch path {
	case d.good.Main.Path:
		return 0
	case "app/a":
		return 1
	case "runtime":
		return 2
	}
	return -1
}

// link puts an archive in the place of package i.
func (d *damager) link(t testing.TB, i int, archive []byte) {
	t.Helper()
	if i < 2 {
		// A refused relink has taken the program away.
		d.try(t, d.good)
	}
	d.n++
	file := filepath.Join(d.dir, fmt.Sprint("damaged", d.n, ".a"))
	if err := os.WriteFile(file, archive, 0o644); err != nil {
		t.Fatal(err)
	}
	r := d.good
	r.Packages = append([]link.Package(nil), r.Packages...)
	for k := range r.Packages {
		if d.index(r.Packages[k].Path) == i {
			r.Packages[k].File = file
		}
	}
	if i == 0 {
		r.Main.File = file
	}
	if err := d.try(t, r); err != nil {
		d.refused++
		reason, ok := link.IsRefusal(err)
		if !ok || strings.Contains(reason, "internal:") {
			t.Errorf("archive %d: %v", i, err)
		}
	}
	os.Remove(file)
}

func (d *damager) try(t testing.TB, r link.Request) error {
	r.Out = filepath.Join(d.dir, fmt.Sprint("prog", d.n, len(r.Main.File)))
	_, err := d.inc.Link(context.Background(), r)
	return err
}

// TestCutArchives: an archive that is cut while it is mapped is refused; it does
// not take the process with it.
func TestCutArchives(t *testing.T) {
	d := newDamager(t)
	for _, i := range []int{2, 1} {
		r := d.good
		r.Packages = slices.Clone(r.Packages)
		r.State = fmt.Sprint("cut", i)
		file := filepath.Join(d.dir, fmt.Sprint("cut", i, ".a"))
		if err := os.WriteFile(file, d.archives[i], 0o600); err != nil {
			t.Fatal(err)
		}
		for k := range r.Packages {
			if d.index(r.Packages[k].Path) == i {
				r.Packages[k].File = file
			}
		}
		if err := d.try(t, r); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(file, 0); err != nil {
			t.Fatal(err)
		}
		lib := filepath.Join(d.dir, fmt.Sprint("other", i, ".a"))
		if err := os.WriteFile(lib, d.archives[0], 0o600); err != nil {
			t.Fatal(err)
		}
		r.Main.File = lib // to be resolved anew
		if err := d.try(t, r); err == nil {
			t.Errorf("archive %d: it was cut, and linked", i)
		} else if _, ok := link.IsRefusal(err); !ok {
			t.Errorf("archive %d: %v", i, err)
		}
	}
	if err := d.try(t, d.good); err != nil {
		t.Error(err)
	}
}

// binary is where the object of an archive begins: what is before it is text.
func binary(archive []byte) int { return bytes.LastIndex(archive, []byte("\n!\n\x00go1")) }

// TestDamagedArchives damages archives a little, where it hurts: in the object.
// LINK_DAMAGE is how often.
func TestDamagedArchives(t *testing.T) {
	plain(t)
	d := newDamager(t)
	seed := number(t, "LINK_SEED", rand.Int63n(1e9))
	rnd := rand.New(rand.NewSource(seed))
	times := int(number(t, "LINK_DAMAGE", 60))
	for n := range times {
		i := rnd.Intn(2)
		if n%20 == 0 {
			i = 2
		}
		b := bytes.Clone(d.archives[i])
		from := binary(b)
		switch rnd.Intn(8) {
		case 0:
			b = b[:from+rnd.Intn(len(b)-from)]
		case 1: // four bytes, as sizes and indices have
			at := from + rnd.Intn(len(b)-from-4)
			rnd.Read(b[at : at+4])
		default:
			b[from+rnd.Intn(len(b)-from)] ^= 1 << rnd.Intn(8)
		}
		d.link(t, i, b)
		if t.Failed() {
			t.Fatalf("time %d; LINK_SEED=%d LINK_DAMAGE=%d go test -run TestDamagedArchives ./internal/link", n, seed, times)
		}
	}
	t.Logf("%s: seed %d: %d damaged archives, %d refused", t.Name(), seed, times, d.refused)
	if d.refused == 0 || d.refused == times {
		t.Error("not what damage does")
	}
}

// number reads a variable of the environment that steers a test.
func number(t *testing.T, variable string, otherwise int64) int64 {
	t.Helper()
	s := os.Getenv(variable)
	if s == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// FuzzDamage changes two places of an archive and may cut it.
func FuzzDamage(f *testing.F) {
	plain(f)
	d := newDamager(f)
	f.Add(uint8(0), uint32(100), uint32(1), uint32(5000), uint32(0), uint32(0))
	f.Add(uint8(1), uint32(40), uint32(1<<31), uint32(900), uint32(0xffffffff), uint32(0))
	f.Add(uint8(0), uint32(0), uint32(0), uint32(0), uint32(0), uint32(3000))
	f.Fuzz(func(t *testing.T, i uint8, at1, mask1, at2, mask2, cut uint32) {
		i %= 2
		b := bytes.Clone(d.archives[i])
		object := b[binary(b):]
		for _, x := range [2][2]uint32{{at1, mask1}, {at2, mask2}} {
			at := int(x[0]) % (len(object) - 4)
			for k := range 4 {
				object[at+k] ^= byte(x[1] >> (8 * k))
			}
		}
		if cut != 0 {
			b = b[:len(b)-int(cut)%len(object)]
		}
		d.link(t, int(i), b)
	})
}
