package main

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/hotreflex/hr/internal/event"
)

// place matches file:line: or file:line:column: at the start of a line
// (cmd/internal/src, XPos; a drive may come first).
var place = regexp.MustCompile(`^((?:[A-Za-z]:)?[^\s:][^:]*):(\d+)(?::(\d+))?: (.*)$`)

// problems reads what the go command said of a build in dir: "# import/path",
// then a line for each complaint, and more of it in lines that begin with a tab.
func problems(text, dir string) []event.Problem {
	var list []event.Problem
	pkg, open := "", false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if name, ok := strings.CutPrefix(line, "# "); ok {
			pkg, _, _ = strings.Cut(name, " ") // "path [path.test]"
			open = false
			continue
		}
		if more, ok := strings.CutPrefix(line, "\t"); ok && open {
			list[len(list)-1].Message += "\n" + more
			continue
		}
		m := place.FindStringSubmatch(line)
		if open = m != nil; !open {
			continue
		}
		p := event.Problem{Package: pkg, File: m[1], Message: m[4]}
		if !filepath.IsAbs(p.File) {
			p.File = filepath.Join(dir, p.File)
		}
		p.Line, _ = strconv.Atoi(m[2]) // digits; too many are line 0
		p.Col, _ = strconv.Atoi(m[3])
		list = append(list, p)
	}
	return list
}
