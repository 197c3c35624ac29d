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

// longTail bounds what is read of it: keptLines of a usual length.
const longTail = 64 << 10

// tails notes where the files end now.
func tails(files ...*os.File) (all []*fileTail) {
	for i, f := range files {
		if !isTail(f) || i > 0 && sameFile(f, files[0]) {
			continue
		}
		fi, err := f.Stat()
		if err != nil {
			continue
		}
		all = append(all, &fileTail{f, fi.Size()})
	}
	return all
}

// isTail says whether a file can be read again.
func isTail(f *os.File) bool {
	fi, err := f.Stat()
	return err == nil && fi.Mode().IsRegular()
}

// lastOf reads the last lines of each. Lines of hr itself are none of the
// program's.
func lastOf(all []*fileTail) (lines []string) {
	for _, t := range all {
		own := slices.DeleteFunc(t.lines(), func(l string) bool { return strings.HasPrefix(l, "hr: ") })
		lines = append(lines, own...)
	}
	return lastWords(lines)
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
