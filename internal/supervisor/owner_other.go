//go:build !linux

package supervisor

// PortOwner is known on Linux only.
func PortOwner(int) (pid int, name string, ok bool) { return 0, "", false }
