package protocol

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBuildID(t *testing.T) {
	id := BuildID()
	if len(id) != 12 || strings.Trim(id, "0123456789abcdef") != "" {
		t.Errorf("BuildID() = %q", id)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if file, err := BuildIDOf(exe); err != nil || file != id {
		t.Errorf("BuildIDOf(own file) = %q, %v; want %q", file, err, id)
	}
	if Version() == "" {
		t.Error("no version")
	}
}

func TestBuildIDOf(t *testing.T) {
	mach := func(id, rest string) string {
		return "\xcf\xfa\xed\xfe" + strings.Repeat("\x00", 4000) + "\xff Go build ID: \"" + id + "\"\n \xff" + rest
	}
	ids := make(map[string]string) // id -> name of the content
	for name, content := range map[string]string{
		"mach-o":        mach("a/b/c/d", "code"),
		"another build": mach("a/b/c/e", "code"),
		"no build id":   "\xcf\xfa\xed\xfe",
		"script":        "#!/bin/sh\n",
		"other script":  "#!/bin/sh\nexit\n",
		"empty":         "",
	} {
		id := buildIDOf(t, content)
		if other, taken := ids[id]; taken {
			t.Errorf("%s and %s have one id", name, other)
		}
		ids[id] = name
	}
	if buildIDOf(t, mach("a/b/c/d", "code")) != buildIDOf(t, mach("a/b/c/d", "what the build ID vouches for")) {
		t.Error("the Go build ID was not used")
	}
	if _, err := BuildIDOf(filepath.Join(t.TempDir(), "gone")); err == nil {
		t.Error("no error for a missing file")
	}
}

func buildIDOf(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "exe")
	if err := os.WriteFile(path, []byte(content), 0o700); err != nil {
		t.Fatal(err)
	}
	id, err := BuildIDOf(path)
	if err != nil {
		t.Fatal(err)
	}
	return id
}
