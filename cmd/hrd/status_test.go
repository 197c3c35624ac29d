package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hotreflex/hr/internal/protocol"
)

// TestHostileStatus prints names that a terminal would obey.
func TestHostileStatus(t *testing.T) {
	const name = "m\x1b]0;t\x07\u202e\nhrd: fake"
	s := protocol.Status{CacheDir: name}
	s.Contexts = append(s.Contexts, protocol.ContextStatus{Target: name, Tags: []string{name}})
	s.Sessions = append(s.Sessions, protocol.SessionStatus{ID: name, Target: name, Dir: name, Context: name})
	s.Archives.Dir, s.Bins.Dir = name, name
	s.Store.Hits = map[string]int64{name: 1}
	var w bytes.Buffer
	printStatus(&w, s)
	if strings.ContainsAny(w.String(), "\x1b\x07\u202e") || strings.Contains(w.String(), "\nhrd: fake") {
		t.Errorf("%q would reach the terminal", w.String())
	}
}
