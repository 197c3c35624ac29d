package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/paths"
	"github.com/hotreflex/hr/internal/watch"
	"github.com/hotreflex/hr/tags"
)

// This file knows which saves can mend a build that failed. The snapshot is that
// of the last good program: what was new in the failed one is unknown to it, and
// an edit there looks like one that does not matter.

// blame notes the files whose edits are built now.
func (r *runner) blame(reasons []graph.Change) {
	for _, ch := range reasons {
		r.blamed[ch.Path] = true
	}
}

// couldMend reports whether the batch may bear on a build that failed or is about
// to: it has a file that was built or accused, or a source file that the failed
// program may have and the last good one has not.
func (r *runner) couldMend(b watch.Batch, changes []graph.Change) bool {
	embeds := r.withoutFiles()
	for _, ch := range changes {
		if !ch.Touched() && (r.blamed[ch.Path] || sourceName(ch.Path) || r.accused(ch.Path) || paths.WithinAny(ch.Path, embeds)) {
			return true
		}
	}
	for _, path := range b.Paths { // a directory stands for all below it
		for blamed := range r.blamed {
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
func (r *runner) withoutFiles() []string {
	if !r.failing {
		return nil
	}
	var dirs []string
	for line := range strings.Lines(r.failure) {
		file, _, ok := strings.Cut(line, ".go:")
		if !ok || !strings.Contains(line, ": no matching files found") {
			continue
		}
		if !filepath.IsAbs(file) {
			file = filepath.Join(r.job.Dir, file)
		}
		dirs = append(dirs, filepath.Dir(file))
	}
	return dirs
}

// sourceName reports whether the go command reads files of such a name, tests
// aside.
func sourceName(path string) bool {
	name := filepath.Base(path)
	return tags.Source(name) || moduleFile(name)
}

// accused reports whether the failed build named a file, as a C compiler names
// whatever is included, and the go command a profile or an overlay.
func (r *runner) accused(path string) bool {
	return r.failing && strings.Contains(r.failure, filepath.Base(path))
}

// forgetGone forgets files that did not parse and are no longer there, as when
// their directory was renamed. It tells whether there were any.
func (r *runner) forgetGone() bool {
	any := false
	for path := range r.broken {
		if _, err := os.Lstat(path); err != nil {
			delete(r.broken, path)
			any = true
		}
	}
	return any
}
