//go:build darwin || freebsd

package cache

import (
	"io/fs"
	"syscall"
	"time"
)

// lastUse returns the access time, which Path sets: mount options such as
// noatime do not matter.
func lastUse(info fs.FileInfo) time.Time {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(stat.Atimespec.Unix())
	}
	return info.ModTime()
}
