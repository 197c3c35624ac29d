package testdir

import (
	"os"
	"path/filepath"
	"testing"
)

// TestPlace gives the same place in every run, empty, and to one at a time.
func TestPlace(t *testing.T) {
	base := filepath.Join(t.TempDir(), "base")
	var first string
	t.Run("first run", func(t *testing.T) { first = use(t, base, "name") })
	if _, err := os.Stat(first); err == nil {
		t.Error("it is left behind")
	}
	if err := os.MkdirAll(filepath.Join(first, "left by a run that was killed"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Run("second run", func(t *testing.T) {
		if second := use(t, base, "name"); second != first {
			t.Errorf("it lies at %s, then at %s", first, second)
		}
		if other := use(t, base, "name"); other == first {
			t.Error("two have it at once")
		}
		if other := use(t, base, "other"); filepath.Dir(other) != base {
			t.Errorf("another test's is %s", other)
		}
	})
	t.Run("nowhere to write", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		use(t, file, "name")
	})
}

// use wants an empty directory that can be written to.
func use(t *testing.T, base, name string) string {
	t.Helper()
	dir := at(t, base, name)
	if all, err := os.ReadDir(dir); err != nil || len(all) > 0 {
		t.Errorf("%v, %v", all, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o644); err != nil {
		t.Error(err)
	}
	return dir
}
