package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/printable"
)

// writerLimit bounds the look at all processes: it is done seldom, for a file
// that does not stand still.
const writerLimit = 50 * time.Millisecond

// writerOf names the processes of this user that have the file, or one in the
// directory, open for writing. Who opens it for the moment of a write is mostly not
// seen; of the program it is known whether it writes files at all. That is no proof
// where a client has had an answer from it: then it may as well be a script that
// saves, waits until it sees its edit, and saves again.
func writerOf(path string, program int, served func() bool) string {
	end := time.Now().Add(writerLimit)
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		real = path
	}
	fi, err := os.Stat(path)
	dir := err == nil && fi.IsDir()
	fds, _ := filepath.Glob("/proc/[0-9]*/fd") // of others it cannot be listed
	found := map[string]bool{}
	for _, fdDir := range fds {
		if time.Now().After(end) {
			break
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(fdDir)))
		if err != nil || pid == os.Getpid() {
			continue
		}
		list, err := os.ReadDir(fdDir)
		if err != nil {
			continue
		}
		for _, d := range list {
			to, err := os.Readlink(filepath.Join(fdDir, d.Name()))
			if err != nil || to != real && !(dir && filepath.Dir(to) == real) || !writes(pid, d.Name()) {
				continue
			}
			found[processName(pid, program)] = true
			break
		}
	}
	if len(found) == 0 && filepath.IsAbs(path) && wroteFiles(program) && !served() {
		return fmt.Sprintf("the program itself, it seems (%s)", processName(program, 0))
	}
	return joinWriters(found)
}

// wroteFiles tells that the program has written to a disk since it was started:
// write_bytes of proc_pid_io(5) counts no sockets, pipes and terminals, and no
// files in memory.
func wroteFiles(pid int) bool {
	if pid == 0 {
		return false
	}
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(data)) {
		if v, ok := strings.CutPrefix(line, "write_bytes:"); ok {
			return strings.TrimSpace(v) != "0"
		}
	}
	return false
}

// writes reads the flags of a descriptor (proc_pid_fdinfo(5)): the last two bits
// are the access mode, and 0 is for reading.
func writes(pid int, fd string) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%s", pid, fd))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(data)) {
		if v, ok := strings.CutPrefix(line, "flags:"); ok {
			flags, err := strconv.ParseUint(strings.TrimSpace(v), 8, 64)
			return err == nil && flags&3 != 0
		}
	}
	return false
}

func processName(pid, program int) string {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	name := printable.Line(strings.TrimSpace(string(data)))
	if pid == program {
		return fmt.Sprintf("the program itself (%s, pid %d)", name, pid)
	}
	return fmt.Sprintf("%s (pid %d)", name, pid)
}

// joinWriters makes one line of the processes that write.
func joinWriters(writers map[string]bool) string {
	if len(writers) == 0 {
		return ""
	}
	all := slices.Sorted(maps.Keys(writers))
	if len(all) > 2 {
		all = append(all[:2], fmt.Sprintf("%d more", len(all)-2))
	}
	return event.Names(all)
}
