//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdIdle waits until nothing is being built, not even what follows the first
// start: an edit before that is built by another way.
func cmdIdle(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 0, 0, "idle")
	if !poll(func() bool {
		cmd := exec.Command(filepath.Join(ts.Getenv("BIN"), "hr"), "ps", "--json", fmt.Sprintf("--pid=%d", current(ts).cmd.Process.Pid))
		cmd.Env = environ(ts)
		out, err := cmd.Output()
		return err == nil && bytes.Contains(out, []byte(`"building":false`))
	}) {
		ts.Fatalf("it does not become idle")
	}
}
