//go:build linux || darwin || freebsd

package cache

import "golang.org/x/sys/unix"

// freeSpace returns the bytes that this user may still write where dir is.
func freeSpace(dir string) (int64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return 0, err
	}
	return int64(stat.Bavail) * int64(stat.Bsize), nil
}
