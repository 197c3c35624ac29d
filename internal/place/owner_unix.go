//go:build unix

package place

import (
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// noFollow has an open fail on a link.
const noFollow = syscall.O_NOFOLLOW

// OwnName is the name of this user's directory in one that others use too.
func OwnName() string { return "hr-" + strconv.Itoa(os.Geteuid()) }

func owned(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// trusted tells that a directory belongs to root or to this user.
func trusted(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && (stat.Uid == 0 || int(stat.Uid) == os.Geteuid() || outsider(stat.Uid))
}

// shared tells that others may write. A group of the user's number is that user's alone, where each user has one: with it a umask
// of 002 is usual.
func shared(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || info.Mode().Perm()&0o002 != 0 {
		return true
	}
	private := stat.Gid == stat.Uid && int(stat.Gid) == os.Getegid()
	return info.Mode().Perm()&0o020 != 0 && !private
}

// outsider tells that an owner has no number in our user name space: the number
// that the kernel shows then stands for all of the world outside, its root
// among them, who own what the name space was set up on.
func outsider(uid uint32) bool { return uid == outside() }

// outside is that number; outside of name spaces it is root's, who is trusted.
var outside = sync.OnceValue(func() uint32 {
	users, err := os.ReadFile("/proc/self/uid_map")
	if err != nil || strings.Join(strings.Fields(string(users)), " ") == "0 0 4294967295" {
		return 0
	}
	text, err := os.ReadFile("/proc/sys/kernel/overflowuid")
	if err != nil {
		return 0
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
})
