// Package store keeps notes in memory. A Store may be used by several
// goroutines at once; its notes are gone when the process ends.
package store

import (
	"errors"
	"slices"
	"sync"
	"time"

	"example.com/ginsvc/internal/greet"
)

// ErrNotFound is returned for an ID that no note has.
var ErrNotFound = errors.New("no such note")

// Note is one entry, with the shape that the JSON API uses.
type Note struct {
	ID      int       `json:"id"`
	Title   string    `json:"title"`
	Text    string    `json:"text"`
	Changed time.Time `json:"changed"`
}

// Store holds the notes.
type Store struct {
	mu    sync.RWMutex // guards the fields below
	last  int          // the highest ID given out; IDs are never used twice
	notes map[int]Note
}

// New returns an empty store.
func New() *Store {
	return &Store{notes: make(map[int]Note)}
}

// All returns every note, oldest first.
func (s *Store) All() []Note {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]Note, 0, len(s.notes))
	for _, note := range s.notes {
		all = append(all, note)
	}
	slices.SortFunc(all, func(a, b Note) int { return a.ID - b.ID })
	return all
}

// Get returns the note with the given ID.
func (s *Store) Get(id int) (Note, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	note, ok := s.notes[id]
	if !ok {
		return Note{}, ErrNotFound
	}
	return note, nil
}

// Add keeps a new note. A note without a text greets its reader.
func (s *Store) Add(title, text string) Note {
	if text == "" {
		text = greet.Hello("")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	note := Note{ID: s.last, Title: title, Text: text, Changed: time.Now()}
	s.notes[note.ID] = note
	return note
}

// Update replaces the title and text of a note.
func (s *Store) Update(id int, title, text string) (Note, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	note, ok := s.notes[id]
	if !ok {
		return Note{}, ErrNotFound
	}
	note.Title, note.Text, note.Changed = title, text, time.Now()
	s.notes[id] = note
	return note, nil
}

// Delete forgets a note.
func (s *Store) Delete(id int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.notes[id]; !ok {
		return ErrNotFound
	}
	delete(s.notes, id)
	return nil
}
