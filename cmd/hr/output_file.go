package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// fileTail is what a generation has added to a regular file that it has as its
// output: such a file can be read again, so nothing need stand in between.
type fileTail struct {
	file *os.File
	from int64
}

// longTail bounds what is read of it: lastLines of a usual length.
const longTail = 16 << 10

// tails notes where the files end now.
func tails(files ...*os.File) (all []*fileTail) {
	for i, f := range files {
		fi, err := f.Stat()
		if err != nil || !fi.Mode().IsRegular() || i > 0 && sameFile(f, files[0]) {
			continue
		}
		all = append(all, &fileTail{f, fi.Size()})
	}
	return all
}

// lastOf reads the last lines of each. Lines of hr itself are none of the
// program's.
func lastOf(all []*fileTail) (lines []string) {
	for _, t := range all {
		own := slices.DeleteFunc(t.lines(), func(l string) bool { return strings.HasPrefix(l, "hr: ") })
		lines = append(lines, own...)
	}
	return lines[max(0, len(lines)-lastLines):]
}

func (t *fileTail) lines() []string {
	// Standard output is usually open for writing only. Linux opens the file
	// anew; where a system does not, there is nothing to tell.
	f, err := os.Open(fmt.Sprintf("/dev/fd/%d", t.file.Fd()))
	if err != nil {
		return nil
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil
	}
	from := max(t.from, fi.Size()-longTail)
	text, err := io.ReadAll(io.NewSectionReader(f, from, fi.Size()-from))
	if err != nil || len(text) == 0 {
		return nil
	}
	return strings.Split(strings.TrimRight(string(text), "\n"), "\n")
}
