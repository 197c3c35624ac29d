package cache

import (
	"io/fs"
	"syscall"
	"time"
)

// Windows has no owner, mode or noexec to ask here: a place is taken on trust,
// and lies in the user's profile by default.

func ownedByUser(fs.FileInfo) bool { return true }

func othersMayWrite(fs.FileInfo) bool { return false }

func tryExec(probe string) error { return nil }

// lastUse returns the access time, which Path sets.
func lastUse(info fs.FileInfo) time.Time {
	if data, ok := info.Sys().(*syscall.Win32FileAttributeData); ok {
		return time.Unix(0, data.LastAccessTime.Nanoseconds())
	}
	return info.ModTime()
}
