package watch

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const inNamespace = "HR_TEST_MOUNT_NAMESPACE"

// TestMountOverWatched mounts over a watched tree and what is in it: saves are
// seen below the new names, and below the old ones when the mounts are gone.
func TestMountOverWatched(t *testing.T) {
	if os.Getenv(inNamespace) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestMountOverWatched$", "-test.v")
		cmd.Env = append(os.Environ(), inNamespace+"=yes")
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
		out, err := cmd.CombinedOutput()
		switch {
		case err != nil && cmd.ProcessState == nil:
			t.Skipf("no mount namespace for this user: %v", err)
		case err != nil:
			t.Fatalf("in a mount namespace: %v\n%s", err, out)
		case strings.Contains(string(out), "--- SKIP"):
			t.Skip(string(out))
		}
		return
	}
	base := realTemp(t)
	for _, dir := range []string{"app/sub", "other/sub"} {
		if err := os.MkdirAll(filepath.Join(base, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	f := watchDir(t, filepath.Join(base, "app"), Options{Source: "native"})
	if f.w.native.(*inotify).mountinfo == nil {
		t.Skip("this kernel does not tell of mounts")
	}
	saved := func(name string) {
		t.Helper()
		f.sync()
		f.write(name, "x")
		f.until(func(all Batch) bool { return strings.Contains(f.rel(all), name) })
	}
	mount := func(on string) {
		t.Helper()
		if err := unix.Mount(filepath.Join(base, "other"), f.path(on), "", unix.MS_BIND, ""); err != nil {
			t.Skipf("mount: %v", err)
		}
		f.until(func(all Batch) bool { return all.Rescan })
	}
	unmount := func(on string) {
		t.Helper()
		if err := unix.Unmount(f.path(on), unix.MNT_DETACH); err != nil {
			t.Fatal(err)
		}
		f.until(func(all Batch) bool { return all.Rescan })
	}
	saved("sub/before")
	mount("sub")
	saved("sub/over")
	unmount("sub")
	saved("sub/after")
	mount(".")
	saved("sub/all")
	unmount(".")
	saved("sub/end")
}
