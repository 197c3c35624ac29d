//go:build linux

package link

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/hotreflex/hr/internal/link/image"
	"github.com/hotreflex/hr/internal/place"
)

// A program that somebody holds, or that was touched in any way, is not made into
// another one; what takes its turn is whole.
func TestHeldProgramStays(t *testing.T) {
	dir := t.TempDir()
	m := image.New(0, 3*4096)
	var f files
	write := func(name string, text byte) string {
		t.Helper()
		m.Put(4096, bytes.Repeat([]byte{text}, 100))
		path := filepath.Join(dir, name)
		sum, err := f.write(path, name, m, 1)
		if err != nil {
			t.Fatal(err)
		}
		if mark, err := new(place.Ledger).Sound(name, path); err != nil || mark.Sum != sum {
			t.Errorf("%s: %v, %v; want the sum %d", name, mark, err, sum)
		}
		return path
	}
	there := func(path string, text byte, want bool) {
		t.Helper()
		data, err := os.ReadFile(path)
		if got := err == nil && data[4096] == text; got != want {
			t.Errorf("%s is there: %v", filepath.Base(path), got)
		}
	}
	first := write("1", 1)
	held, err := place.OpenFile(first)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := place.Hold(held, false); !ok {
		t.Fatal(err)
	}
	second := write("2", 2)
	third := write("3", 3) // the first would be its blocks
	there(first, 1, true)
	there(second, 2, true)
	held.Close()
	info, err := os.Stat(second)
	if err != nil {
		t.Fatal(err)
	}
	damage, err := os.OpenFile(second, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	damage.WriteAt([]byte{99}, 8192)
	damage.Close()
	if err := os.Chtimes(second, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	fourth := write("4", 4) // not of the second: somebody wrote to it
	there(second, 2, true)
	there(fourth, 4, true)
	fifth := write("5", 5) // of the third
	there(third, 3, false)
	there(fifth, 5, true)
}
