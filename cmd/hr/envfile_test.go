package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/hotreflex/hr/internal/engine"
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
	e, err := newEnvFiles(engine.Job{Dir: dir, Env: []string{"HOME=/home"}}, []string{"a", filepath.Join(dir, "b")})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"HOME=/home", "X=2", "Y=two words"}; !slices.Equal(e.environ(), want) {
		t.Errorf("environment %q, want %q", e.environ(), want)
	}
	write("a", "X=0\nY='two words'\nHOME=/elsewhere\n")
	if changed, err := e.read(); changed || err != nil {
		t.Errorf("what the program does not see: changed %v, %v", changed, err)
	}
	write("b", "X=3\n")
	if changed, err := e.read(); !changed || err != nil {
		t.Errorf("a new value: changed %v, %v", changed, err)
	}
	before := e.environ()
	os.Remove(filepath.Join(dir, "b"))
	if _, err := e.read(); err == nil || !slices.Equal(e.environ(), before) {
		t.Errorf("a file that is gone: %v, environment %q", err, e.environ())
	}
	if _, err := newEnvFiles(engine.Job{Dir: dir}, []string{"none"}); err == nil {
		t.Error("a file that is not there is no error at the start")
	}
}

func TestFollowingProfile(t *testing.T) {
	for now, want := range map[string]string{"": "test", "dev": "test", "test": "prod", "prod": "dev"} {
		if got := followingProfile(now); got != want {
			t.Errorf("after %q comes %q, want %q", now, got, want)
		}
	}
	got := withProfileTag([]string{"-race", "-tags=dev,extra"}, "test")
	if want := []string{"-race", "-tags=extra,test"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
