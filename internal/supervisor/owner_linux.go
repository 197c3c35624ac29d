package supervisor

import (
	"os"
	"strconv"
	"strings"
)

// PortOwner names the process that listens on a TCP port of this machine, for
// the message that follows "address already in use". ok is false when nobody
// does or when the owner may not be seen.
func PortOwner(port int) (pid int, name string, ok bool) {
	wanted := map[uint64]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		data, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(data)) {
			// sl local_address rem_address st ... inode, see proc_net_tcp in the
			// kernel's documentation; 0A is LISTEN.
			f := strings.Fields(line)
			if len(f) < 10 || f[3] != "0A" {
				continue
			}
			_, hex, _ := strings.Cut(f[1], ":")
			if n, err := strconv.ParseUint(hex, 16, 16); err != nil || int(n) != port {
				continue
			}
			if inode, err := strconv.ParseUint(f[9], 10, 64); err == nil {
				wanted[inode] = true
			}
		}
	}
	if len(wanted) == 0 {
		return 0, "", false
	}
	list, err := os.ReadDir("/proc")
	if err != nil {
		return 0, "", false
	}
	for _, d := range list {
		pid, err := strconv.Atoi(d.Name())
		if err != nil {
			continue
		}
		for _, inode := range socketDescriptors(pid) {
			if wanted[inode] {
				name, _ := os.ReadFile("/proc/" + d.Name() + "/comm")
				return pid, strings.TrimSpace(string(name)), true
			}
		}
	}
	return 0, "", false
}
