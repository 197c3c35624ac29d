//go:build !unix

package goobj

import "os"

// Map reads the file: there is no mapping on this system.
func Map(file string) ([]byte, error) { return os.ReadFile(file) }

// Release does nothing: the bytes are in no file.
func Release([]byte) {}

// Unmap leaves the bytes to the garbage collector.
func Unmap([]byte) {}
