// Package triggers knows the files that the program reads itself and the build
// does not: env files, and files that a rule names. Saving one restarts the
// program or sends it a signal.
//
// It starts and signals nothing. Called by cmd/hr. Its types belong to one
// goroutine.
package triggers

import "slices"

// union joins two lists of names, each name once.
func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, name := range b {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}
