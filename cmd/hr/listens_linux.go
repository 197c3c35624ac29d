package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// listensOn looks for a listening socket of the program or its children on a
// TCP port. A connection would tell nothing: hr holds the sockets of the last
// generation open, and the system accepts for it.
func listensOn(_ context.Context, pid, port int) bool {
	return len(listeningPorts(pid, func(p int) bool { return p == port })) > 0
}

// listeningPorts returns the TCP ports that a process and its children listen
// on, those wanted.
func listeningPorts(pid int, wanted func(port int) bool) []int {
	inodes := map[string]int{}
	for _, table := range []string{"tcp", "tcp6"} {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(data)) {
			// The fields are those of proc_net_tcp in the kernel's documentation:
			// local address, state (0A is LISTEN) and inode.
			f := strings.Fields(line)
			if len(f) < 10 || f[3] != "0A" {
				continue
			}
			_, hex, _ := strings.Cut(f[1], ":")
			if n, err := strconv.ParseUint(hex, 16, 16); err == nil && wanted(int(n)) {
				inodes["socket:["+f[9]+"]"] = int(n)
			}
		}
	}
	if len(inodes) == 0 {
		return nil
	}
	var out []int
	for _, p := range family(pid) {
		dir := fmt.Sprintf("/proc/%d/fd", p)
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			link, err := os.Readlink(dir + "/" + e.Name())
			if port, ok := inodes[link]; ok && err == nil {
				out = append(out, port)
				delete(inodes, link)
			}
		}
	}
	return out
}

// family is a process and all below it (proc(5), task/TID/children).
func family(pid int) []int {
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", all[i]))
		if err != nil {
			continue
		}
		for _, t := range tasks {
			data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", all[i], t.Name()))
			for word := range strings.FieldsSeq(string(data)) {
				if child, err := strconv.Atoi(word); err == nil {
					all = append(all, child)
				}
			}
		}
	}
	return all
}
