package front

import (
	"path/filepath"
	"strings"
)

// This file knows which saves can mend a build that failed. The snapshot is that
// of the last good program: what was new in the failed one is unknown to it, and
// an edit there looks like one that does not matter.

// couldMend reports whether the batch may bear on a build that failed or is
// about to: it has a file that was built, or a source file that the failed
// program may have and the last good one has not.
func (s *step) couldMend(j judged) bool {
	embeds := s.withoutFiles()
	for _, ch := range j.changes {
		if !ch.Touched() && (s.source.blamed[ch.Path] || sourceName(ch.Path) || withinAny(ch.Path, embeds)) {
			return true
		}
	}
	for _, path := range j.batch.paths { // a directory stands for all below it
		for blamed := range s.source.blamed {
			if strings.HasPrefix(blamed, path+string(filepath.Separator)) {
				return true
			}
		}
	}
	return false
}

// withoutFiles returns the directories of the packages whose embed patterns
// match nothing, as the failed build told: there a file of any name can mend it
// (cmd/go/internal/load, resolveEmbed).
func (s *step) withoutFiles() []string {
	if !s.source.failing {
		return nil
	}
	var dirs []string
	for line := range strings.Lines(s.source.failure) {
		file, _, ok := strings.Cut(line, ".go:")
		if !ok || !strings.Contains(line, ": no matching files found") {
			continue
		}
		if !filepath.IsAbs(file) {
			file = filepath.Join(s.opt.dir, file)
		}
		dirs = append(dirs, filepath.Dir(file))
	}
	return dirs
}

func withinAny(path string, dirs []string) bool {
	for _, d := range dirs {
		if rel, err := filepath.Rel(d, path); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			return true
		}
	}
	return false
}

// sourceName reports whether the go command reads files of such a name, tests
// aside.
func sourceName(path string) bool {
	return filepath.Ext(path) == ".go"
}
