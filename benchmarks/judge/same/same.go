// Package same compares two programs of the go command byte for byte, but for
// their build ids. It imports nothing of hr's own.
package same

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
)

// Programs reports whether two programs are the same once their build ids are
// blanked: Go's own, the GNU note made of it, and the UUID of a Mach-O file.
func Programs(a, b string) (bool, error) {
	x, err := zeroed(a)
	if err != nil {
		return false, err
	}
	y, err := zeroed(b)
	if err != nil {
		return false, err
	}
	return bytes.Equal(x, y), nil
}

func zeroed(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if id := buildID(data); len(id) > 0 {
		data = bytes.ReplaceAll(data, id, bytes.Repeat([]byte{'0'}, len(id)))
	} else if !bytes.Contains(data, []byte("\xff Go buildinf:")) {
		return nil, fmt.Errorf("%s is no program of the go command", path)
	}
	// ELF note: name size 4, description size 20, type 3 (NT_GNU_BUILD_ID), "GNU\0".
	head := []byte{4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0}
	if i := bytes.Index(data, head); i >= 0 {
		clear(data[i+len(head) : i+len(head)+20])
	}
	// Mach-O: load command 0x1b (LC_UUID) of 24 bytes, which go link makes of
	// the build id.
	if bytes.HasPrefix(data, []byte{0xcf, 0xfa, 0xed, 0xfe}) {
		if i := bytes.Index(data[:4096], []byte{0x1b, 0, 0, 0, 24, 0, 0, 0}); i >= 0 {
			clear(data[i+8 : i+24])
		}
	}
	return data, nil
}

// buildID is what "go tool buildid" prints: an ELF file has it in a note, all
// others at the very beginning of the text (cmd/internal/buildid). The tool
// itself is not among those that a distribution brings, so each call of it costs
// the go command a look at its sources.
func buildID(program []byte) []byte {
	if f, err := elf.NewFile(bytes.NewReader(program)); err == nil {
		if note := f.Section(".note.go.buildid"); note != nil {
			return noteText(note)
		}
		return nil
	}
	_, rest, _ := bytes.Cut(program, []byte("\xff Go build ID: \""))
	id, _, ok := bytes.Cut(rest, []byte("\"\n \xff"))
	if !ok {
		return nil
	}
	return id
}

// noteText reads the description of a note whose name has four bytes: it stands
// after three numbers, of which the second is its size, and the name.
func noteText(note *elf.Section) []byte {
	const head = 3*4 + 4
	data, err := note.Data()
	if err != nil || len(data) < head {
		return nil
	}
	size := binary.LittleEndian.Uint32(data[4:])
	if uint64(len(data)-head) < uint64(size) {
		return nil
	}
	return data[head : head+int(size)]
}
