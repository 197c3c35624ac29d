//go:build unix

package goobj

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Map gives the content of an archive file without reading it. The file must
// never be changed in place; it may be deleted.
func Map(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 || info.Size() != int64(int(info.Size())) {
		return nil, fmt.Errorf("map %s: size %d", file, info.Size())
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", file, err)
	}
	return b, nil
}

// Release lets go of the memory that reading a mapping took. The file is read
// again, from the page cache, where it is looked at next.
func Release(b []byte) {
	unix.Madvise(b, unix.MADV_DONTNEED) // advice: that it fails costs memory only
}

// Unmap ends a mapping; nothing that points into it may be used any more.
func Unmap(b []byte) { syscall.Munmap(b) }
