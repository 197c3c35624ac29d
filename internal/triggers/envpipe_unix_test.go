//go:build unix

package triggers

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// TestEnvPipe: a pipe is waited for, read once, and then remembered.
func TestEnvPipe(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "env")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Skip("no pipes here: " + err.Error())
	}
	done := make(chan error, 1)
	go func() { done <- os.WriteFile(path, []byte("A=1\n"), 0o600) }()
	e, err := NewEnvFiles(dir, nil, []string{"env"})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if changed, err := e.Read(); changed || err != nil || !slices.Equal(e.Environ(), []string{"A=1"}) {
		t.Errorf("again: %v, %v, %q", changed, err, e.Environ())
	}
}
