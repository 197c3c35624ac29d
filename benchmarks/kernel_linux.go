package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// adopt makes this process the parent of those whose parent dies (prctl(2),
// PR_SET_CHILD_SUBREAPER): every process that a tool leaves behind is found.
func adopt() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// stat returns the fields of /proc/PID/stat after the command name, the state
// first: field 3 of proc_pid_stat(5) is at 0.
func stat(pid int) []string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	return strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
}

// descendants lists the processes below one, deepest last.
func descendants(pid int) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	children := map[int][]int{}
	for _, e := range entries {
		child, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if f := stat(child); len(f) > 1 && f[0] != "Z" {
			parent, _ := strconv.Atoi(f[1])
			children[parent] = append(children[parent], child)
		}
	}
	all := children[pid]
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// reaped is a number that grows with every child that a process has waited for:
// their page faults (cminflt and cmajflt), of which no process has none.
func reaped(pid int) int64 {
	f := stat(pid)
	if len(f) < 11 {
		return -1
	}
	minor, _ := strconv.ParseInt(f[8], 10, 64)
	major, _ := strconv.ParseInt(f[10], 10, 64)
	return minor + major
}

// startTime tells one process of a number from the next one (ticks since boot).
func startTime(pid int) string {
	if f := stat(pid); len(f) > 19 {
		return f[19]
	}
	return ""
}

// residentBytes is VmRSS of proc_pid_status(5), 0 if it cannot be read.
func residentBytes(pid int) int64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for text := range strings.Lines(string(data)) {
		if f := strings.Fields(text); len(f) == 3 && f[0] == "VmRSS:" {
			kb, _ := strconv.ParseInt(f[1], 10, 64)
			return kb << 10
		}
	}
	return 0
}

// processor is the name of the processor.
func processor() string {
	data, _ := os.ReadFile("/proc/cpuinfo")
	for text := range strings.Lines(string(data)) {
		if name, value, ok := strings.Cut(text, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
