package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestChooseReport: hr stop must never end what nobody meant.
func TestChooseReport(t *testing.T) {
	base := t.TempDir()
	for _, module := range []string{"one", "two/inner", "three"} {
		dir := filepath.Join(base, filepath.FromSlash(module), "cmd")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(filepath.Dir(dir), "go.mod"), []byte("module x\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	at := func(pid int, dir string) *reportData {
		return &reportData{Pid: pid, Dir: filepath.Join(base, filepath.FromSlash(dir)), Started: time.Unix(int64(pid), 0)}
	}
	one, inner := at(1, "one"), at(2, "two/inner")
	for _, c := range []struct {
		name    string
		running []*reportData
		cwd     string
		sure    int // process id that hr stop takes, 0 for an error
		why     int // and hr why
	}{
		{"its directory", []*reportData{one, inner}, "one", 1, 1},
		{"below it", []*reportData{one, inner}, "one/cmd", 1, 1},
		{"another module", []*reportData{one, inner}, "three", 0, 1},
		{"another module, only one runs", []*reportData{one}, "three", 0, 1},
		{"above one", []*reportData{one, inner}, "two", 2, 2},
		{"above both", []*reportData{one, inner}, ".", 0, 1},
		{"in no module, only one runs", []*reportData{one}, "..", 1, 1},
		{"elsewhere in the module", []*reportData{at(3, "one/cmd"), inner}, "one", 3, 3},
		{"two in one directory", []*reportData{one, at(4, "one")}, "one", 0, 4},
		{"the nearer of two", []*reportData{one, at(5, "one/cmd")}, "one/cmd", 5, 5},
	} {
		for _, sure := range []bool{true, false} {
			want := c.why
			if sure {
				want = c.sure
			}
			got := 0
			if d, err := chooseReport(append([]*reportData(nil), c.running...), filepath.Join(base, filepath.FromSlash(c.cwd)), sure); err == nil {
				got = d.Pid
			}
			if got != want {
				t.Errorf("%s, sure %v: chose %d, want %d", c.name, sure, got, want)
			}
		}
	}
}
