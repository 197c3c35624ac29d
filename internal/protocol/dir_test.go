package protocol

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestRunDirChoice(t *testing.T) {
	base := t.TempDir()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, hr, xdg, want string
	}{
		{"HR_RUNTIME_DIR first", base + "/a", base, base + "/a"},
		{"then XDG_RUNTIME_DIR", "", base, base + "/hr"},
		{"not when it is missing", "", base + "/gone", base + "/cache/hr/run/" + host},
		{"not when it is relative", "", "tmp", base + "/cache/hr/run/" + host},
		{"then the cache", "", "", base + "/cache/hr/run/" + host},
	}
	if runtime.GOOS != "linux" {
		tests = tests[:2] // the cache directory is elsewhere, and not set by this variable
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("HR_RUNTIME_DIR", test.hr)
			t.Setenv("XDG_RUNTIME_DIR", test.xdg)
			t.Setenv("XDG_CACHE_HOME", base+"/cache")
			for range 2 { // made, then found
				got, err := RunDir()
				if err != nil || got != test.want {
					t.Fatalf("RunDir() = %q, %v; want %q", got, err, test.want)
				}
			}
			info, err := os.Stat(test.want)
			if err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("%v, mode %v", err, info.Mode())
			}
		})
	}
}

// Where nothing can be made the next place is taken, without a home /tmp.
func TestRunDirWithoutHome(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the cache directory is not set by a variable here")
	}
	cache := t.TempDir()
	t.Setenv("HR_RUNTIME_DIR", "")
	t.Setenv("XDG_RUNTIME_DIR", "/proc/self") // ours, but nobody can make a directory there
	t.Setenv("XDG_CACHE_HOME", cache)
	if dir, err := RunDir(); err != nil || !strings.HasPrefix(dir, cache) {
		t.Errorf("RunDir() = %q, %v; want it in %s", dir, err, cache)
	}
	dirs := runDirs()
	if last := dirs[len(dirs)-1]; last != "/tmp/hr-"+userID() {
		t.Errorf("the last resort is %s", last)
	}

	t.Setenv("HR_RUNTIME_DIR", "/dev/null/run")
	if _, err := RunDir(); err == nil || AsError(err).Hint == "" {
		t.Errorf("%v; want a hint", err)
	}
}

func TestUnsafeDir(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("directories have no owner and mode on Windows")
	}
	tests := []struct {
		name string
		make func(t *testing.T, dir string) error
		want string
	}{
		{"writable by all", func(t *testing.T, dir string) error {
			if err := os.Mkdir(dir, 0o700); err != nil {
				return err
			}
			return os.Chmod(dir, 0o777)
		}, "0777"},
		{"readable by others", func(t *testing.T, dir string) error {
			if err := os.Mkdir(dir, 0o700); err != nil {
				return err
			}
			return os.Chmod(dir, 0o750)
		}, "0750"},
		{"symbolic link", func(t *testing.T, dir string) error {
			if err := os.Mkdir(dir+".real", 0o700); err != nil {
				return err
			}
			return os.Symlink(dir+".real", dir)
		}, "symbolic link"},
		{"file", func(t *testing.T, dir string) error {
			return os.WriteFile(dir, nil, 0o600)
		}, "not a directory"},
		{"of another user", func(t *testing.T, dir string) error {
			if os.Geteuid() != 0 {
				t.Skip("only root can give a directory away")
			}
			if err := os.Mkdir(dir, 0o700); err != nil {
				return err
			}
			return os.Chown(dir, 12345, 12345)
		}, "another user"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			if err := test.make(t, dir); err != nil {
				t.Fatal(err)
			}
			t.Setenv("HR_RUNTIME_DIR", dir)
			_, err := RunDir()
			if codeOf(err) != CodeUnsafe || !strings.Contains(err.Error(), test.want) || AsError(err).Hint == "" {
				t.Errorf("RunDir: %v; want an unsafe directory, %q, and a hint", err, test.want)
			}
			if _, err := Listen(dir); codeOf(err) != CodeUnsafe {
				t.Errorf("Listen: %v; want an unsafe directory", err)
			}
			if _, err := Dial(t.Context(), dir); codeOf(err) != CodeUnsafe {
				t.Errorf("Dial: %v; want an unsafe directory", err)
			}
		})
	}
}

func TestLongPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 30))
	t.Setenv("HR_RUNTIME_DIR", dir)
	dir, err := RunDir()
	if err != nil {
		t.Fatal(err)
	}
	path, err := SocketPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(filepath.Dir(path))
	if len(path) > maxSocketPath || strings.HasPrefix(path, dir) {
		t.Errorf("socket path %q", path)
	}
	l, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := Dial(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()

	other, err := SocketPath(filepath.Join(dir, "other"))
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(filepath.Dir(other))
	if other == path {
		t.Error("two run directories share a socket")
	}
}
