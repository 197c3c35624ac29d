package pcln

import (
	"path"
	"strings"
)

// line is the one place through which start lines of functions go on their way
// into a program; the per-instruction lines are the pcline tables, which
// Block.pcTable copies. A map of lines per package belongs here.
func line(n int32) uint32 { return uint32(n) }

// expand replaces the placeholder that the compiler puts into the file names of
// the standard library.
func expand(name, goroot string) string {
	rest, ok := strings.CutPrefix(name, "$GOROOT/")
	if !ok || goroot == "" {
		return name
	}
	return path.Join(goroot, rest)
}
