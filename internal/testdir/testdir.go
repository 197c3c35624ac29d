// Package testdir gives a test a directory that lies at the same place in every
// run. The go command knows a compile by its directory: what a test has it
// compile there is found in its cache the next time. Only tests import it.
package testdir

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/gofrs/flock"
)

// New is Named after the test.
func New(t testing.TB) string {
	t.Helper()
	return Named(t, t.Name())
}

// Named returns an empty directory, which is removed with the test. Its place
// depends on the name alone: tests that run one after the other can have the
// same. While another has it, or where the user has no cache directory, it is a
// temporary one, which costs time only.
func Named(t testing.TB, name string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		return t.TempDir()
	}
	return at(t, filepath.Join(cache, "hr-test"), name)
}

// unusual are the characters of a name that stay out of a path.
var unusual = regexp.MustCompile(`[^A-Za-z0-9]+`)

func at(t testing.TB, base, name string) string {
	t.Helper()
	if os.MkdirAll(base, 0o755) != nil {
		return t.TempDir()
	}
	dir := filepath.Join(base, unusual.ReplaceAllString(name, "-"))
	lock := flock.New(dir + ".lock")
	if ok, err := lock.TryLock(); !ok || err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { lock.Close() })
	// What a run that was killed has left.
	if os.RemoveAll(dir) != nil || os.Mkdir(dir, 0o755) != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the test's directory: %v", err)
		}
	})
	return dir
}
