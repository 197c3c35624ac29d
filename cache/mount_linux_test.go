package cache

import (
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// mount makes dir a file system of its own, of the given size in bytes.
func mount(t *testing.T, dir string, size int) {
	t.Helper()
	mountWith(t, dir, size, 0)
}

func mountWith(t *testing.T, dir string, size int, flags uintptr) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", flags, "size="+strconv.Itoa(size)+",mode=0700"); err != nil {
		t.Skipf("this needs the right to mount a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

const noexec = unix.MS_NOEXEC

func remountReadOnly(t *testing.T, dir string) {
	t.Helper()
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Skipf("this needs the right to remount a tmpfs: %v", err)
	}
}
