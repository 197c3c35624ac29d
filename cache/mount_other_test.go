//go:build !linux

package cache

import "testing"

func mount(t *testing.T, dir string, size int) {
	t.Skip("only on Linux can a test mount a file system of its own")
}

func mountWith(t *testing.T, dir string, size int, flags uintptr) { mount(t, dir, size) }

const noexec = 0

func remountReadOnly(t *testing.T, dir string) { mount(t, dir, 0) }
