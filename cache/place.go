package cache

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/hotreflex/hr/internal/place"
)

// spot is one place for files.
type spot struct {
	path string // of dir; the real one

	mu      sync.Mutex     // guards fields below
	dir     *place.Dir     // as it was last found
	scratch *place.Scratch // of this process's unfinished files; nil if none were written
	told    bool           // that it cannot be used any more
}

// tryPlace returns the place, or why files cannot be kept in dir.
func tryPlace(dir string, needExec bool) (*spot, error) {
	d, err := place.Open(dir)
	if err != nil {
		return nil, err
	}
	if err = checkFree(d.Path(), leastFree); err == nil {
		err = probe(d, needExec)
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	return &spot{path: d.Path(), dir: d}, nil
}

// probe writes a file, and runs it.
func probe(d *place.Dir, needExec bool) error {
	dir, err := place.NewScratch(d.Path(), tempPrefix)
	if err != nil {
		return err
	}
	defer dir.Remove()
	path := filepath.Join(dir.Path(), "probe")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return err
	}
	if needExec {
		return tryExec(path)
	}
	return nil
}

// look returns the directory of a place, made again if it was removed, nil if it
// is no longer this user's alone: then nothing is looked for in it.
func (f *Files) look(s *spot) *place.Dir {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, err := s.dir.Again()
	if err != nil {
		if !s.told {
			f.passOver(s.path, err)
		}
		s.told = true
		return nil
	}
	s.dir, s.told = d, false
	return d
}

// unfinished returns the directory for unfinished files.
func (s *spot) unfinished() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scratch == nil || !s.scratch.There() {
		next, err := place.NewScratch(s.path, tempPrefix)
		if err != nil {
			return "", err
		}
		if s.scratch != nil {
			s.scratch.Remove()
		}
		s.scratch = next
	}
	return s.scratch.Path(), nil
}

func (s *spot) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scratch != nil {
		s.scratch.Remove()
		s.scratch = nil
	}
	s.dir.Close()
}

// byRoom returns the places in the order in which to try them: those with enough
// room as they come, then the others, the roomiest first.
func byRoom(places []*spot, enough int64) []*spot {
	free := map[*spot]int64{}
	for _, s := range places {
		n, err := freeSpace(s.path)
		if errors.Is(err, fs.ErrNotExist) { // it was removed
			n, err = freeSpace(filepath.Dir(s.path))
		}
		if err != nil || n > enough {
			n = enough
		}
		free[s] = n
	}
	places = slices.Clone(places)
	slices.SortStableFunc(places, func(a, b *spot) int { return -cmp.Compare(free[a], free[b]) })
	return places
}

func checkFree(dir string, least int64) error {
	if free, err := freeSpace(dir); err == nil && free < least {
		return fmt.Errorf("%w: %d kB free in %s", ErrNoSpace, free>>10, dir)
	}
	return nil
}
