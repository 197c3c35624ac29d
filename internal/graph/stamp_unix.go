//go:build linux || darwin

package graph

import (
	"io/fs"
	"syscall"
)

// inode returns the inode number and the change time in nanoseconds. The change
// time is what touch -r cannot set back.
func inode(fi fs.FileInfo) (ino uint64, ctime int64) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0
	}
	return st.Ino, changeTime(st)
}
