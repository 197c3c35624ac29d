package cache

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hotreflex/hr/internal/place"
)

const (
	// spared is how lately a file must have been used to outlive any eviction:
	// its user may not have opened it yet. Path notes uses each minute.
	spared = 2 * time.Minute
	// abandoned is the age at which a temporary file has no writer any more; a
	// large link takes seconds.
	abandoned = time.Hour
)

// FilesStats describe the files of one Files.
type FilesStats struct {
	Dir     string
	Entries int
	Bytes   int64
	Budget  int64
}

// Stats counts the files.
func (f *Files) Stats() FilesStats {
	stats := FilesStats{Dir: f.Dir(), Budget: f.opts.Budget}
	for _, s := range f.places {
		for _, file := range f.list(s) {
			if file.key != "" {
				stats.Entries++
				stats.Bytes += file.size
			}
		}
	}
	return stats
}

// Evict deletes the files that were not used for longest until the budget is
// kept, in each place for itself. Files for which keep is true, and those used
// within the last minutes, stay, and so do those that somebody holds. It also
// clears up after writers that died.
func (f *Files) Evict(keep func(key string) bool) {
	for _, s := range f.places {
		f.evict(s, keep)
	}
}

func (f *Files) evict(s *spot, keep func(key string) bool) {
	dir := f.look(s)
	if dir == nil {
		return
	}
	now := f.opts.Now()
	files := f.list(s)
	var total int64
	for _, file := range files {
		total += file.size
	}
	budget := f.opts.Budget
	if free, err := freeSpace(s.path); err == nil {
		budget = min(budget, (total+free)/2)
	}
	slices.SortFunc(files, func(a, b file) int { return a.used.Compare(b.used) })
	for _, file := range files {
		switch {
		case file.key == "":
			if now.Sub(file.used) > abandoned {
				os.Remove(file.path)
			}
		case total <= budget || now.Sub(file.used) < spared || keep != nil && keep(file.key) || place.InUse(file.path):
		default:
			if removeFile(dir, file.key) == nil {
				total -= file.size
			}
		}
	}
}

// file is one file in a place. Temporary files have no key.
type file struct {
	key, path string
	size      int64
	used      time.Time
}

// list returns the files of a place. What is no file of ours is left out and
// left alone.
func (f *Files) list(s *spot) []file {
	dir := s.path
	var files []file
	add := func(key string, entry os.DirEntry) {
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() {
			return
		}
		switch {
		case validKey(key):
			path := filepath.Join(dir, filepath.FromSlash(key))
			files = append(files, file{key, path, info.Size(), lastUse(info)})
		case strings.HasPrefix(key, tempPrefix):
			used := info.ModTime()
			if at := lastUse(info); at.After(used) { // it is being committed: the seal is on
				used = at
			}
			files = append(files, file{"", filepath.Join(dir, key), info.Size(), used})
		}
	}
	entries, _ := os.ReadDir(dir)
	for _, entry := range entries {
		if !entry.IsDir() {
			add(entry.Name(), entry)
			continue
		}
		inner, _ := os.ReadDir(filepath.Join(dir, entry.Name()))
		for _, named := range inner {
			add(entry.Name()+"/"+named.Name(), named)
		}
	}
	return files
}
