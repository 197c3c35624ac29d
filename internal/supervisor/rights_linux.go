package supervisor

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Without privilege a filter has a price: nothing that the program starts may
// gain rights any more (no_new_privs, prctl(2)), so that sudo, ping or
// newuidmap fail, with words of their own that name no culprit. Root pays
// nothing.

// lookAtRights tells once of a program that began without rights which its file
// would give it.
func (h *handover) lookAtRights(pid int) {
	if h.rightsTold.Load() {
		return
	}
	exe := fmt.Sprintf("/proc/%d/exe", pid)
	rights := rightsOf(exe)
	if rights == "" || h.rightsTold.Swap(true) {
		return
	}
	name, err := os.Readlink(exe)
	if err != nil {
		name = "a program"
	}
	h.log("%s runs without the rights of its file (%s): keeping the sockets takes them from all that the program starts; --handover=off leaves them", name, rights)
}

// rightsOf names what a file gives to who executes it and does not have it
// already.
func rightsOf(path string) string {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return ""
	}
	var rights []string
	if st.Mode&unix.S_ISUID != 0 && int(st.Uid) != os.Geteuid() {
		rights = append(rights, "set-user-id")
	}
	// Without the right to execute, the bit means locks.
	if st.Mode&unix.S_ISGID != 0 && st.Mode&unix.S_IXGRP != 0 && int(st.Gid) != os.Getegid() {
		rights = append(rights, "set-group-id")
	}
	if n, err := unix.Getxattr(path, "security.capability", nil); err == nil && n > 0 {
		rights = append(rights, "capabilities")
	}
	var fs unix.Statfs_t
	if len(rights) > 0 && unix.Statfs(path, &fs) == nil && fs.Flags&unix.ST_NOSUID != 0 {
		return "" // it has them nowhere
	}
	return strings.Join(rights, ", ")
}
