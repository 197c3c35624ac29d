package watch

import (
	"os"
	"time"
)

// stamp is what a stat tells about the content behind a name.
type stamp struct {
	mode      os.FileMode
	size      int64
	mtime     time.Time
	inode     uint64
	ctime     int64 // nanoseconds; 0 where the system does not tell
	isPresent bool
}

// stampOf does not follow symlinks; a name that cannot be read has no stamp.
func stampOf(path string) stamp {
	fi, err := os.Lstat(path)
	if err != nil {
		return stamp{}
	}
	return stampFrom(fi)
}

func stampFrom(fi os.FileInfo) stamp {
	inode, ctime := inodeAndCtime(fi)
	return stamp{mode: fi.Mode(), size: fi.Size(), mtime: fi.ModTime(), inode: inode, ctime: ctime, isPresent: true}
}

func (a stamp) missing() bool { return !a.isPresent }

func (a stamp) regular() bool { return a.isPresent && a.mode.IsRegular() }

// same ignores ctime: an attribute event that left mode, size, time and inode
// as they were has changed nothing a build can see.
func (a stamp) same(b stamp) bool {
	return a.isPresent == b.isPresent && a.mode == b.mode && a.size == b.size && a.inode == b.inode && a.mtime.Equal(b.mtime)
}
