//go:build stress

package main

import (
	"bytes"
	"os"
	"runtime"
	"strings"
	"testing"
)

// TestFindsADifference has the judge look at an hr that lies: it must find that
// out, and how few edits it takes.
func TestFindsADifference(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the liar is a shell script")
	}
	bin := buildCommands(t)
	// It leaves a file out of the program's sight: edits of it are lost.
	liar := "#!/bin/sh\n[ \"$1\" = run ] || exec " + bin + "/hr.real \"$@\"\nGOFLAGS=-tags=special exec " + bin + "/hr.real \"$@\"\n"
	if err := os.Rename(bin+"/hr", bin+"/hr.real"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bin+"/hr", []byte(liar), 0o755); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if code := run([]string{"-bin=" + bin, "-trees=mixed", "-contexts=nocgo", "-edits=1", "-shrink=0"}, &out); code != 1 || !strings.Contains(out.String(), "DIFFERENCE") && !strings.Contains(out.String(), "is not") {
		t.Errorf("exit code %d, said\n%s", code, out.String())
	}
}
