package engine

import (
	"bufio"
	"fmt"
	"go/build/constraint"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/tags"
)

// stdTags are the tags that the standard library's own files mention and people
// pass by hand; its directories are not read for them.
var stdTags = []string{"netgo", "netcgo", "osusergo", "timetzdata", "purego", "faketime", "math_big_pure_go", "boringcrypto", "race", "appengine"}

// unknownTags returns a warning for each tag of the user that no file of the
// closure mentions: most likely it is misspelled.
func unknownTags(user []string, s *graph.Snapshot) []string {
	if len(user) == 0 {
		return nil
	}
	known := slices.Clone(stdTags)
	dirs := map[string]bool{}
	for _, p := range s.Packages {
		if p.Std || p.Dir == "" || dirs[p.Dir] {
			continue
		}
		dirs[p.Dir] = true
		known = append(known, mentionedIn(p.Dir)...)
	}
	slices.Sort(known)
	known = slices.Compact(known)
	var warnings []string
	for _, tag := range user {
		if slices.Contains(known, tag) {
			continue
		}
		if _, ok := tags.Lookup(tag); ok {
			continue // a profile's name says something without any file
		}
		w := "no file mentions the tag " + tag
		if near, ok := tags.Suggest(tag, known); ok {
			w += fmt.Sprintf("; did you mean -tags=%s?", near)
		}
		warnings = append(warnings, w)
	}
	return warnings
}

// mentionedIn returns the tags in the constraints of a directory's Go files.
func mentionedIn(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".go" && e.Type().IsRegular() {
			out = append(out, tags.Mentioned(constraintOf(filepath.Join(dir, e.Name())))...)
		}
	}
	return out
}

// constraintOf reads a file's //go:build line: it stands before the package
// clause (go help buildconstraint).
func constraintOf(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if constraint.IsGoBuild(line) {
			return strings.TrimSpace(strings.TrimPrefix(line, "//go:build"))
		}
		if strings.HasPrefix(line, "package ") {
			return ""
		}
	}
	return ""
}
