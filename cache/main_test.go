package cache

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Badger may end the process when its files are damaged. Tests that damage them
// run in a child: this test binary with roleVar set.
const roleVar = "HR_TEST_ROLE"

func TestMain(m *testing.M) {
	dir := os.Getenv("HR_TEST_DIR")
	switch role := os.Getenv(roleVar); role {
	case "":
		os.Exit(m.Run())
	case "verify":
		os.Exit(playVerify(dir))
	case "truncate":
		os.Exit(playTruncate(dir))
	case "full":
		os.Exit(playFull(dir))
	case "crash":
		s, err := Open(Options{Dir: dir, Log: printLine})
		if err != nil {
			fmt.Println(err)
			os.Exit(3)
		}
		s.Put(Snapshot, "from a crash", []byte("x"))
		os.Exit(2) // without Close
	}
}

func printLine(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// child runs this test binary in a role and returns its exit code and output.
func child(t *testing.T, role, dir string) (int, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVar+"="+role, "HR_TEST_DIR="+dir,
		"GORACE=atexit_sleep_ms=0") // the race detector waits a second at exit for late reports
	out, err := cmd.CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// logged collects the lines of a store.
type logged struct {
	mu    sync.Mutex
	lines []string
}

func (l *logged) Log(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

func open(t *testing.T, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func put(t *testing.T, s *Store, kind Kind, key string, value []byte) {
	t.Helper()
	if err := s.Put(kind, key, value); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, s *Store, kind Kind, key string, want []byte) {
	t.Helper()
	got, ok := s.Get(kind, key)
	if !ok || !bytes.Equal(got, want) {
		t.Errorf("Get(%s, %q) = %d bytes, %v; want %d bytes", kind, key, len(got), ok, len(want))
	}
}

func expectMiss(t *testing.T, s *Store, kind Kind, key string) {
	t.Helper()
	if got, ok := s.Get(kind, key); ok {
		t.Errorf("Get(%s, %q) = %d bytes, want a miss", kind, key, len(got))
	}
}

// waitFor polls: a minute is far more than anything here takes.
func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-tick.C {
		if done() {
			return
		}
	}
	t.Fatalf("waited a minute for %s", what)
}

// copyTree copies files with holes as such: badger's are large and hardly filled.
func copyTree(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		return copySparse(path, filepath.Join(to, rel))
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func copySparse(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer out.Close()
	for at := int64(0); at < info.Size(); {
		begin, end := filled(in, at, info.Size())
		if _, err := in.Seek(begin, io.SeekStart); err != nil {
			return err
		}
		if _, err := out.Seek(begin, io.SeekStart); err != nil {
			return err
		}
		if _, err := io.CopyN(out, in, end-begin); err != nil {
			return err
		}
		at = end
	}
	return out.Truncate(info.Size())
}

// filled returns the next part of a file that is no hole, up to its size; all
// of it where the system tells of no holes.
func filled(f *os.File, at, size int64) (begin, end int64) {
	const seekData, seekHole = 3, 4 // lseek(2)
	if runtime.GOOS != "linux" {
		return at, size
	}
	begin, err := f.Seek(at, seekData)
	if errors.Is(err, syscall.ENXIO) {
		return size, size
	}
	if err != nil {
		return at, size
	}
	if end, err = f.Seek(begin, seekHole); err != nil {
		return at, size
	}
	return begin, end
}
