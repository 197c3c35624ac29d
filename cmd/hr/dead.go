package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

// This file clears up after hrs that were killed: their report, its lock and
// their socket. The lock tells; a number may belong to another process by now.

// lockTries is how often an hr takes its lock: once more for each sweeper that
// has it for the moment, or has just removed the file.
const lockTries = 5

// lockReport takes the lock of a report for life, nil if it cannot be had.
func lockReport(report string) *flock.Flock {
	path := report + lockSuffix
	for range lockTries {
		lock := flock.New(path, flock.SetPermissions(0o600))
		if ok, err := lock.TryLock(); ok && err == nil && pathNames(path, lock) {
			return lock
		}
		lock.Close()
	}
	return nil
}

// pathNames tells that the path still leads to the file that is locked.
func pathNames(path string, lock *flock.Flock) bool {
	held, err := lock.Stat()
	if err != nil {
		return false
	}
	now, err := os.Lstat(path)
	return err == nil && os.SameFile(now, held)
}

// sweepDead removes the files of all hrs that are no more.
func sweepDead(dir string) {
	dirs := []string{dir}
	if sock, err := controlPath(os.Getpid()); err == nil && filepath.Dir(sock) != dir {
		dirs = append(dirs, filepath.Dir(sock))
	}
	pids := map[int]bool{}
	for _, d := range dirs {
		entries, _ := os.ReadDir(d)
		for _, e := range entries {
			name, _, _ := strings.Cut(e.Name(), ".")
			if pid, err := strconv.Atoi(name); err == nil && pid != os.Getpid() {
				pids[pid] = true
			}
		}
	}
	for pid := range pids {
		sweepIfDead(dir, pid)
	}
}

// sweepIfDead removes the files of one hr unless it lives, and tells whether it
// was dead. The lock goes last: who has it by then is another hr of the number.
func sweepIfDead(dir string, pid int) bool {
	report := filepath.Join(dir, strconv.Itoa(pid)+".json")
	lock := flock.New(report+lockSuffix, flock.SetPermissions(0o600))
	defer lock.Close()
	if ok, err := lock.TryLock(); !ok || err != nil || !pathNames(report+lockSuffix, lock) {
		return false
	}
	os.Remove(report)
	os.Remove(report + ".new")
	if sock, err := controlPath(pid); err == nil {
		os.Remove(sock)
	}
	os.Remove(report + lockSuffix)
	return true
}
