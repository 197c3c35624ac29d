package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// mark stands in an edit for a number that no save before it had: no cache can
// know the result, and a response that shows it is a new one.
const mark = "MARK"

// edit is one kind of save.
type edit struct {
	file string // slash separated, below the module; may hold mark if it is new
	// swaps are pairs of texts, old then new; every old stands once in the file.
	swaps []string
	// text is the whole of a new file, or what is added to the end of an old one.
	text string
	path string // where the program shows the edit
	want string // what it shows; "" if the edit shows nothing
}

// shows tells whether a response can prove the edit.
func (e edit) shows() bool { return e.want != "" }

// marked is the edit with its number.
func (e edit) marked(n int) edit {
	r := strings.NewReplacer(mark, fmt.Sprint(n))
	e.file, e.text, e.want = r.Replace(e.file), r.Replace(e.text), r.Replace(e.want)
	swaps := make([]string, len(e.swaps))
	for i, s := range e.swaps {
		swaps[i] = r.Replace(s)
	}
	e.swaps = swaps
	return e
}

// apply returns the file as the edit makes it of the old content.
func (e edit) apply(old string) (string, error) {
	for i := 0; i < len(e.swaps); i += 2 {
		if n := strings.Count(old, e.swaps[i]); n != 1 {
			return "", fmt.Errorf("edit %s: %q stands there %d times, not once", e.file, e.swaps[i], n)
		}
		old = strings.Replace(old, e.swaps[i], e.swaps[i+1], 1)
	}
	return old + e.text, nil
}

// source is one copy of a program's source. Tools that watch have a copy each,
// so that a save for one is no save for the others.
type source struct {
	dir      string
	pristine map[string]string // files as they were created, as far as they were read
	good     map[string]string // files of the last edit that showed
	added    []string          // files that no pristine program has
}

func newSource(dir string) *source {
	return &source{dir: dir, pristine: map[string]string{}, good: map[string]string{}}
}

// save writes the edit as editors do that write in place (open, truncate, write)
// and returns the time just before. An edit that shows starts from the pristine
// file, one that shows nothing from the file that the running program is made
// of, so that it is the only change.
func (s *source) save(e edit) (time.Time, error) {
	old, err := s.read(e.file)
	if err != nil {
		return time.Time{}, err
	}
	if good, ok := s.good[e.file]; ok && !e.shows() {
		old = good
	}
	content, err := e.apply(old)
	if err != nil {
		return time.Time{}, err
	}
	data, name := []byte(content), s.name(e.file)
	begin := time.Now()
	if err := os.WriteFile(name, data, 0o644); err != nil {
		return time.Time{}, err
	}
	if e.shows() {
		s.good[e.file] = content
	}
	return begin, nil
}

// read returns the pristine content, "" for a file that is new.
func (s *source) read(file string) (string, error) {
	if text, ok := s.pristine[file]; ok {
		return text, nil
	}
	data, err := os.ReadFile(s.name(file))
	if os.IsNotExist(err) {
		s.added = append(s.added, file)
		err = nil
	}
	if err != nil {
		return "", err
	}
	s.pristine[file] = string(data)
	return string(data), nil
}

// restore brings the files that edits left changed back to the pristine ones.
func (s *source) restore() error {
	for _, file := range s.added {
		if err := os.Remove(s.name(file)); err != nil && !os.IsNotExist(err) {
			return err
		}
		delete(s.pristine, file)
		delete(s.good, file)
	}
	s.added = nil
	for file, text := range s.pristine {
		if now, err := os.ReadFile(s.name(file)); err == nil && string(now) == text {
			continue
		}
		if err := os.WriteFile(s.name(file), []byte(text), 0o644); err != nil {
			return err
		}
	}
	clear(s.good)
	return nil
}

func (s *source) name(file string) string { return filepath.Join(s.dir, filepath.FromSlash(file)) }
