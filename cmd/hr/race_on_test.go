//go:build race

package main

// raceFlags build the commands under test with the race detector, too. The
// incremental linker is left out: it would take a third of the scripts' time to
// load the same archives again and again, and its own tests watch it.
var raceFlags = []string{"-race", "-gcflags=github.com/hotreflex/hr/internal/link/...=-race=false"}
