// Command hr runs a Go program and keeps it true to its source.
//
// It holds the front end: the words of the command line, the watcher, the
// verdicts, the child process and the screen. What takes knowledge or tools is
// asked of the daemon, hrd: the user's, or one for this process alone. One file holds
// one verb; run.go and loop.go are the life of a save.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
