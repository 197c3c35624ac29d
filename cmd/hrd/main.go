// Command hrd is the per-user daemon behind hr: it keeps what costs time to
// learn about Go programs and drives the Go tools.
//
// It holds only the verbs that start, stop and show the daemon; package daemon
// does the work.
package main

import (
	"os"

	"github.com/hotreflex/hr/internal/engine"
)

func main() {
	if engine.Recording(os.Args) {
		os.Exit(engine.RunToolexec(os.Args))
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}
