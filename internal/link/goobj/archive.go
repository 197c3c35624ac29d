package goobj

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Archive is one package file: the compiler's object, the assembler's objects
// and, with cgo, the objects of the C compiler.
type Archive struct {
	// Header is the first line of every Go object, "go object linux amd64
	// go1.26.8 GOAMD64=v1 X:...". It must be the same in a whole link.
	Header string
	// ContentID names the content of the archive, whatever it was made from; it
	// is empty if the go command has not put it there (cmd/go/internal/work,
	// buildid.go: "actionID/contentID", both equal until the content is known).
	ContentID string
	// Objects are the Go objects, the compiler's first.
	Objects []*Object
	// Cgo is the JSON list of cgo directives of the compiler's object, or nil.
	Cgo []byte
	// Host are members in the format of the system's compiler.
	Host []Member
}

// Member is one file inside an archive.
type Member struct {
	Name string
	Data []byte
}

const (
	arMagic      = "!<arch>\n"
	arHeaderSize = 60
	objectPrefix = "go object "
)

// ParseArchive opens the objects of an archive. data must stay as it is for as
// long as the Archive is used.
func ParseArchive(data []byte) (*Archive, error) {
	members, err := splitMembers(data)
	if err != nil {
		return nil, err
	}
	a := new(Archive)
	for _, m := range members {
		switch {
		case m.Name == "__.PKGDEF":
			// Export data: for compilers.
		case bytes.HasPrefix(m.Data, []byte(objectPrefix)):
			if err := a.addObject(m); err != nil {
				return nil, fmt.Errorf("%s: %w", m.Name, err)
			}
		case m.Name == "preferlinkext" || m.Name == "dynimportfail":
			// Flag files of the go command: the package wants gcc as its linker.
			return nil, fmt.Errorf("%s: package asks for external linking", m.Name)
		default:
			a.Host = append(a.Host, m)
		}
	}
	if len(a.Objects) == 0 {
		return nil, fmt.Errorf("no Go object in archive")
	}
	return a, nil
}

func splitMembers(data []byte) ([]Member, error) {
	if !bytes.HasPrefix(data, []byte(arMagic)) {
		return nil, fmt.Errorf("not an archive")
	}
	var members []Member
	for off := len(arMagic); off < len(data); {
		if len(data)-off < arHeaderSize {
			return nil, fmt.Errorf("archive header cut off at %d", off)
		}
		h := data[off : off+arHeaderSize]
		if h[58] != '`' || h[59] != '\n' {
			return nil, fmt.Errorf("bad archive header at %d", off)
		}
		name := strings.TrimRight(string(h[:16]), " ")
		size, err := strconv.ParseInt(strings.TrimRight(string(h[48:58]), " "), 10, 64)
		off += arHeaderSize
		if err != nil || size < 0 || size > int64(len(data)-off) {
			return nil, fmt.Errorf("bad size of archive member %q", name)
		}
		members = append(members, Member{name, data[off : off+int(size) : off+int(size)]})
		off += int(size + size&1)
	}
	return members, nil
}

// addObject takes the text part of a Go object apart. It is the header line,
// lines such as the build id, sections between "$$" lines, and ends with "!".
func (a *Archive) addObject(m Member) error {
	end := bytes.Index(m.Data, []byte("\n!\n"))
	if end < 0 {
		return fmt.Errorf("object has no binary part")
	}
	text := m.Data[:end+1]
	line, rest, _ := bytes.Cut(text, []byte("\n"))
	header := string(line)
	if a.Header == "" {
		a.Header = header
	} else if a.Header != header {
		return fmt.Errorf("object header %q differs from %q", header, a.Header)
	}
	if len(a.Objects) == 0 {
		a.Cgo = cgoSection(rest)
		a.ContentID = contentID(rest)
	}
	o, err := Parse(m.Data[end+3:])
	if err != nil {
		return err
	}
	a.Objects = append(a.Objects, o)
	return nil
}

func contentID(text []byte) string {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	id, ok := bytes.CutPrefix(line, []byte(`build id "`))
	if !ok {
		return ""
	}
	action, content, ok := strings.Cut(strings.TrimSuffix(string(id), `"`), "/")
	const length = 20 // of a hash in a build ID
	if !ok || len(content) != length || action == content {
		return ""
	}
	return content
}

func cgoSection(text []byte) []byte {
	_, s, found := bytes.Cut(text, []byte("\n$$  // cgo\n"))
	if !found {
		return nil
	}
	s, _, _ = bytes.Cut(s, []byte("\n$$\n"))
	return s
}
