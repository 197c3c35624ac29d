package supervisor

import (
	"maps"
	"os"
	"strconv"
	"strings"
)

// PortOwner names the process that listens on a TCP port of this machine, for
// the message that follows "address already in use". ok is false when nobody
// does or when the owner may not be seen.
func PortOwner(port int) (pid int, name string, ok bool) {
	ports := tcpListeners("/proc/net")
	maps.DeleteFunc(ports, func(_ uint64, p int) bool { return p != port })
	if len(ports) == 0 {
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
			if _, ok := ports[inode]; ok {
				name, _ := os.ReadFile("/proc/" + d.Name() + "/comm")
				return pid, strings.TrimSpace(string(name)), true
			}
		}
	}
	return 0, "", false
}
