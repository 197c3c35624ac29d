package engine

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// errNoExport says that a file is no archive with export data.
var errNoExport = errors.New("no export data")

// fingerprintOf reads the fingerprint of an archive's export data: the last
// eight bytes before the end marker of its first member, __.PKGDEF, which is
// the start of a SHA-256 over all export data
// (cmd/compile/internal/noder/unified.go, internal/pkgbits/encoder.go).
func fingerprintOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	// "!<arch>\n", then the member's header of 60 bytes: name 16, date 12,
	// uid 6, gid 6, mode 8, size 10, "`\n".
	var head [68]byte
	if _, err := io.ReadFull(f, head[:]); err != nil {
		return "", fmt.Errorf("read %s: %w", path, errNoExport)
	}
	if string(head[:8]) != "!<arch>\n" || !strings.HasPrefix(string(head[8:]), "__.PKGDEF") {
		return "", fmt.Errorf("read %s: %w", path, errNoExport)
	}
	size, err := strconv.ParseInt(strings.TrimSpace(string(head[56:66])), 10, 64)
	end := []byte("\n$$\n")
	tail := int64(8 + len(end))
	if err != nil || size < tail {
		return "", fmt.Errorf("read %s: %w", path, errNoExport)
	}
	buf := make([]byte, tail)
	if _, err := f.ReadAt(buf, 68+size-tail); err != nil {
		return "", fmt.Errorf("read %s: %w", path, errNoExport)
	}
	if !bytes.HasSuffix(buf, end) {
		return "", fmt.Errorf("read %s: %w", path, errNoExport)
	}
	return hex.EncodeToString(buf[:8]), nil
}

// archiveBuildID reads the build id that the go command wrote into an archive:
// its first lines hold it in quotes (cmd/internal/buildid/buildid.go). Empty if
// there is none.
func archiveBuildID(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	var head [1024]byte // the go command reads as much (readSize of its first try)
	n, _ := io.ReadFull(f, head[:])
	_, rest, ok := bytes.Cut(head[:n], []byte("\nbuild id \""))
	if !ok {
		return ""
	}
	id, _, ok := bytes.Cut(rest, []byte("\""))
	if !ok {
		return ""
	}
	return string(id)
}
