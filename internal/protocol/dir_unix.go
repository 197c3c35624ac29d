//go:build unix

package protocol

import (
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

func userID() string { return strconv.Itoa(os.Geteuid()) }

func ownedByUser(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

func ownerOnly(info fs.FileInfo) bool { return info.Mode().Perm() == 0o700 }
