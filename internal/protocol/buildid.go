package protocol

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
)

// BuildID returns the identity of the running executable, as BuildIDOf gives
// it for its file. It is read once.
func BuildID() string { return ownBuildID() }

var ownBuildID = sync.OnceValue(func() string {
	path, err := os.Executable()
	if runtime.GOOS == "linux" {
		path, err = "/proc/self/exe", nil // the file may have been replaced since the start
	}
	if err == nil {
		if id, err := BuildIDOf(path); err == nil {
			return id
		}
	}
	// Not readable, for instance execute-only: what the linker noted must do.
	hash := sha256.Sum256([]byte(Version()))
	return fmt.Sprintf("%x", hash[:6])
})

// BuildIDOf returns the identity of an executable: 12 hex digits that differ
// when its content differs. It reads a few kilobytes of a program that the Go
// toolchain made, because its build ID names the content, and hashes any other
// file whole.
//
// hr and hrd are different executables. To tell whether the running daemon is
// of another build, compare the id it reports with the id of the hrd that
// would be started in its place.
func BuildIDOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read build id: %w", err)
	}
	defer f.Close()
	hash := sha256.New()
	if id := goBuildID(f); len(id) > 0 {
		hash.Write(id)
	} else if _, err := io.Copy(hash, io.NewSectionReader(f, 0, 1<<62)); err != nil {
		return "", fmt.Errorf("read build id: %w", err)
	}
	return fmt.Sprintf("%x", hash.Sum(nil)[:6]), nil
}

// goBuildID returns the Go build ID recorded in an executable, or nil. The
// linker puts it in the section .note.go.buildid of an ELF file, and in other
// formats at the start of the text segment (cmd/internal/buildid).
func goBuildID(f io.ReaderAt) []byte {
	if file, err := elf.NewFile(f); err == nil {
		if note := file.Section(".note.go.buildid"); note != nil {
			data, err := note.Data()
			if err != nil {
				return nil
			}
			return data
		}
		return nil
	}
	// 32 kB is where the go command itself stops looking.
	head := make([]byte, 32<<10)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil
	}
	_, after, found := bytes.Cut(head[:n], []byte("\xff Go build ID: \""))
	if !found {
		return nil
	}
	id, _, found := bytes.Cut(after, []byte("\"\n \xff"))
	if !found {
		return nil
	}
	return id
}

// Version returns the version of this build for people to read: the module's
// version, or "devel" with the revision when it was built from a checkout.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	version := "devel"
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision":
			version += "+" + setting.Value[:min(12, len(setting.Value))]
		case setting.Key == "vcs.modified" && setting.Value == "true":
			version += "+dirty"
		}
	}
	return version
}
