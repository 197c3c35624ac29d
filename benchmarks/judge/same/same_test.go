package same

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestPrograms blanks build ids and nothing else.
func TestPrograms(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "tool", "buildid", self).Output()
	if err != nil {
		t.Fatal(err)
	}
	id := buildID(data)
	if len(id) < 20 || !bytes.Equal(id, bytes.TrimSpace(out)) {
		t.Fatalf("build id %q, go tool buildid says %q", id, out)
	}
	other := bytes.Clone(id)
	copy(other, "other")
	another := bytes.ReplaceAll(data, id, other)
	changed := bytes.Clone(data)
	changed[len(changed)/2] ^= 1
	for _, c := range []struct {
		name string
		data []byte
		same bool
	}{
		{"itself", data, true},
		{"another build id", another, true},
		{"one bit", changed, false},
		{"one byte more", append(bytes.Clone(data), 0), false},
	} {
		path := filepath.Join(t.TempDir(), "program")
		if err := os.WriteFile(path, c.data, 0o755); err != nil {
			t.Fatal(err)
		}
		if got, err := Programs(self, path); err != nil || got != c.same {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
	}
	if _, err := Programs(self, "same.go"); err == nil {
		t.Error("a source file is taken for a program")
	}
}
