package triggers

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestEnvFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("a", "X=1\nY='two words'\nHOME=/nowhere\n")
	write("b", "export X=2\n# Y=3\n")
	e, err := NewEnvFiles(dir, []string{"HOME=/home"}, []string{"a", filepath.Join(dir, "b")})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"HOME=/home", "X=2", "Y=two words"}; !slices.Equal(e.Environ(), want) {
		t.Errorf("environment %q, want %q", e.Environ(), want)
	}
	write("a", "X=0\nY='two words'\nHOME=/elsewhere\n")
	if changed, err := e.Read(); changed || err != nil {
		t.Errorf("what the program does not see: changed %v, %v", changed, err)
	}
	write("b", "X=3\n")
	if changed, err := e.Read(); !changed || err != nil {
		t.Errorf("a new value: changed %v, %v", changed, err)
	}
	before := e.Environ()
	os.Remove(filepath.Join(dir, "b"))
	if _, err := e.Read(); err == nil || !slices.Equal(e.Environ(), before) {
		t.Errorf("a file that is gone: %v, environment %q", err, e.Environ())
	}
	if _, err := NewEnvFiles(dir, nil, []string{"none"}); err == nil {
		t.Error("a file that is not there is no error at the start")
	}
}
