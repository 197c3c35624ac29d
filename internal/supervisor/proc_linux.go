package supervisor

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// This file reads /proc (proc(5)) about processes.

// ownProcesses returns the children that package os still has a handle on.
func ownProcesses() map[int]bool {
	owned := map[int]bool{}
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return owned
	}
	for _, d := range list {
		if target, err := os.Readlink("/proc/self/fd/" + d.Name()); err != nil || target != "anon_inode:[pidfd]" && !strings.HasPrefix(target, "pidfd:") {
			continue
		}
		info, err := os.ReadFile("/proc/self/fdinfo/" + d.Name())
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(info)) {
			if v, ok := strings.CutPrefix(line, "Pid:"); ok {
				if pid, err := strconv.Atoi(strings.TrimSpace(v)); err == nil {
					owned[pid] = true
				}
			}
		}
	}
	return owned
}

// carries says whether pid was started with generation id in its environment.
func carries(pid, id int) bool {
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return false
	}
	want := fmt.Appendf(nil, "%s=%d", generationVariable, id)
	for v := range bytes.SplitSeq(env, []byte{0}) {
		if bytes.Equal(v, want) {
			return true
		}
	}
	return false
}

// filtered says whether pid has a system call filter and we have none: with
// hand-over only the program's descendants do.
func filtered(pid int) bool { return filterMode(pid) > 0 && filterMode(os.Getpid()) == 0 }

// filterMode reads the seccomp mode of a process' main thread.
func filterMode(pid int) int {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if v, ok := strings.CutPrefix(line, "Seccomp:"); ok {
			mode, err := strconv.Atoi(strings.TrimSpace(v))
			if err != nil {
				return 0
			}
			return mode
		}
	}
	return 0
}

// children returns the pids that any thread of pid has forked or inherited.
func children(pid int) []int {
	tasks := "/proc/" + strconv.Itoa(pid) + "/task"
	dir, err := os.Open(tasks)
	if err != nil {
		return nil
	}
	threads, _ := dir.Readdirnames(-1)
	dir.Close()
	var pids []int
	for _, t := range threads {
		data, err := os.ReadFile(tasks + "/" + t + "/children")
		if err != nil {
			if _, err := os.Stat(tasks + "/" + t); err == nil {
				return childrenByScan(pid)
			}
			continue // the thread ended; its children went to another thread
		}
		for f := range strings.FieldsSeq(string(data)) {
			if c, err := strconv.Atoi(f); err == nil {
				pids = append(pids, c)
			}
		}
	}
	return pids
}

// childrenByScan serves kernels without CONFIG_PROC_CHILDREN.
func childrenByScan(parent int) []int {
	list, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, d := range list {
		pid, err := strconv.Atoi(d.Name())
		if err != nil {
			continue
		}
		if p, ok := readProcess(pid); ok && p.parent == parent {
			pids = append(pids, pid)
		}
	}
	return pids
}

// readProcess reads /proc/PID/stat; the name in it may hold any character, so
// fields are counted from its closing parenthesis.
func readProcess(pid int) (process, bool) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, false
	}
	i := bytes.LastIndexByte(data, ')')
	if i < 0 {
		return process{}, false
	}
	f := strings.Fields(string(data[i+1:]))
	if len(f) < 20 {
		return process{}, false
	}
	p := process{pid: pid}
	// A leader is Z from its own exit on; its other threads may still hold
	// files open, and it cannot be waited for before they are gone.
	p.dead = f[0] == "X" || f[0] == "Z" && (f[17] == "0" || f[17] == "1")
	p.parent, _ = strconv.Atoi(f[1])
	p.group, _ = strconv.Atoi(f[2])
	p.start, _ = strconv.ParseUint(f[19], 10, 64)
	return p, true
}
