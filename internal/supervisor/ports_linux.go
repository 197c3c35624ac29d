package supervisor

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// tcpListeners maps the sockets that listen on TCP to their ports, by a
// directory such as /proc/net. Each network namespace has its own.
func tcpListeners(dir string) map[uint64]int {
	ports := map[uint64]int{}
	for _, table := range []string{"/tcp", "/tcp6"} {
		data, err := os.ReadFile(dir + table)
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
			port, err := strconv.ParseUint(hex, 16, 16)
			if err != nil {
				continue
			}
			if inode, err := strconv.ParseUint(f[9], 10, 64); err == nil {
				ports[inode] = int(port)
			}
		}
	}
	return ports
}

// ListeningPorts returns the TCP ports that the processes of g listen on, in
// whatever network they are; nil where the system does not tell.
func (g *Generation) ListeningPorts() []int {
	tables := map[string]map[uint64]int{} // by network namespace
	found := map[int]bool{}
	for _, pid := range g.members() {
		network, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid))
		if err != nil {
			continue // it is gone, or somebody else's now
		}
		if tables[network] == nil {
			tables[network] = tcpListeners(fmt.Sprintf("/proc/%d/net", pid))
		}
		for _, inode := range socketDescriptors(pid) {
			if port, ok := tables[network][inode]; ok {
				found[port] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// ListensOn tells whether a process of g listens on a TCP port. A connection
// would tell nothing: the sockets of the last generation are kept open, and the
// system accepts for them.
func (g *Generation) ListensOn(_ context.Context, port int) bool {
	return slices.Contains(g.ListeningPorts(), port)
}
