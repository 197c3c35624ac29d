//go:build unix

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// What killed hrs have left goes with the next one, and nothing of those alive.
func TestSweepDead(t *testing.T) {
	run := t.TempDir()
	if err := os.Chmod(run, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HR_RUNTIME_DIR", run)
	dir, err := sessionsDir()
	if err != nil {
		t.Fatal(err)
	}
	make := func(pid int, suffixes ...string) {
		for _, suffix := range suffixes {
			sock, err := controlPath(pid)
			path := filepath.Join(dir, strconv.Itoa(pid)+suffix)
			if suffix == ".sock" {
				path = sock
			}
			if err := errors.Join(err, os.WriteFile(path, []byte("{}"), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for pid := 1_000_001; pid <= 1_000_200; pid++ {
		make(pid, ".json", ".json.lock", ".sock")
	}
	make(2_000_000, ".sock")
	make(3_000_000, ".json.new", ".json.lock")
	make(4_000_000, ".json", ".sock")
	make(os.Getpid(), ".sock") // our own is being made
	lock := lockReport(filepath.Join(dir, "4000000.json"))
	if lock == nil {
		t.Fatal("no lock")
	}
	defer lock.Close()
	if again := lockReport(filepath.Join(dir, "4000000.json")); again != nil {
		t.Error("two have one lock")
	}
	sweepDead(dir)
	found, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range found {
		left = append(left, e.Name())
	}
	want := map[string]bool{"4000000.json": true, "4000000.json.lock": true, "4000000.sock": true, strconv.Itoa(os.Getpid()) + ".sock": true}
	for _, name := range left {
		if !want[name] {
			t.Errorf("%s is left", name)
		}
	}
	if len(left) != len(want) {
		t.Errorf("left: %v", left)
	}
	if all, err := readReports(dir); err != nil || len(all) != 1 {
		t.Errorf("%d reports, %v", len(all), err)
	}
}
