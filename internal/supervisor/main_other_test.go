//go:build !linux

package supervisor

// systemPrograms are further programs of this system.
var systemPrograms map[string]func([]string)
