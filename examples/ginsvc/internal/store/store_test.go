package store

import (
	"errors"
	"testing"
)

func TestStore(t *testing.T) {
	s := New()
	first := s.Add("first", "one")
	second := s.Add("second", "")
	if second.Text == "" {
		t.Error("a note without a text got none")
	}

	if _, err := s.Update(first.ID, "first", "uno"); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(first.ID); err != nil || got.Text != "uno" {
		t.Errorf("Get = %+v, %v; want the new text", got, err)
	}

	if err := s.Delete(first.ID); err != nil {
		t.Fatal(err)
	}
	if all := s.All(); len(all) != 1 || all[0].ID != second.ID {
		t.Errorf("All = %+v, want the second note alone", all)
	}
	if third := s.Add("third", "three"); third.ID == first.ID {
		t.Error("an ID was used twice")
	}
}

func TestMissingNote(t *testing.T) {
	s := New()
	if _, err := s.Get(7); !errors.Is(err, ErrNotFound) {
		t.Errorf("Get: %v", err)
	}
	if _, err := s.Update(7, "", ""); !errors.Is(err, ErrNotFound) {
		t.Errorf("Update: %v", err)
	}
	if err := s.Delete(7); !errors.Is(err, ErrNotFound) {
		t.Errorf("Delete: %v", err)
	}
}
