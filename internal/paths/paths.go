// Package paths says how files and directories lie to each other, by their names
// alone. Pure; called by all who watch or judge files.
package paths

import (
	"path/filepath"
	"strings"
)

// Within reports whether path is dir or lies below it.
func Within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// WithinAny reports whether path lies in one of the directories.
func WithinAny(path string, dirs []string) bool {
	for _, d := range dirs {
		if Within(path, d) {
			return true
		}
	}
	return false
}

// WithinAll reports whether each path lies in one of the directories.
func WithinAll(paths, dirs []string) bool {
	for _, p := range paths {
		if !WithinAny(p, dirs) {
			return false
		}
	}
	return true
}

// Short gives a path relative to dir where that is shorter.
func Short(dir, path string) string {
	if rel, err := filepath.Rel(dir, path); err == nil && len(rel) < len(path) {
		return rel
	}
	return path
}
