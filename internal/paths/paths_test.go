package paths_test

import (
	"path/filepath"
	"testing"

	"github.com/hotreflex/hr/internal/paths"
)

func TestWithin(t *testing.T) {
	for _, x := range []struct {
		path, dir string
		want      bool
	}{
		{"/a", "/a", true},
		{"/a/b", "/a", true},
		{"/ab", "/a", false},
		{"/a", "/a/b", false},
		{"/a/..b", "/a", true},
		{"/b/c", "/a", false},
		{"rel", "/a", false},
	} {
		path, dir := filepath.FromSlash(x.path), filepath.FromSlash(x.dir)
		if got := paths.Within(path, dir); got != x.want {
			t.Errorf("Within(%s, %s) = %v", path, dir, got)
		}
		if got := paths.WithinAny(path, []string{filepath.FromSlash("/x"), dir}); got != x.want {
			t.Errorf("WithinAny(%s, /x, %s) = %v", path, dir, got)
		}
	}
	if !paths.WithinAll(nil, nil) || paths.WithinAll([]string{"/a", "/b"}, []string{"/a"}) {
		t.Error("WithinAll")
	}
	if got := paths.Short("/a/b", "/a/b/c"); got != "c" {
		t.Errorf("Short gives %s", got)
	}
	if got := paths.Short("/a/b/c/d", "/x"); got != "/x" {
		t.Errorf("Short gives %s", got)
	}
}
