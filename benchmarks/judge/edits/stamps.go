package edits

import (
	"fmt"
	"os"
	"time"
)

// This file makes edits whose trouble is their time.

// fastMost is a pause that a person cannot make, slowMost one that a short
// build takes.
const (
	fastMost = 5 * time.Millisecond
	slowMost = 500 * time.Millisecond
)

// saveInBuild saves again while the first save is being built.
func saveInBuild(e *editor) bool {
	if !bodyConstant(e) {
		return false
	}
	first := e.what
	for range 1 + e.r.IntN(3) {
		e.wait(slowMost)
		switch e.r.IntN(4) {
		case 0:
			lineAbove(e)
		case 1:
			funcExported(e)
		default:
			bodyConstant(e)
		}
	}
	return e.say("%s, and more while it is built: %s", first, e.what)
}

// slowSave writes a file in pieces.
func slowSave(e *editor) bool {
	s, ok := e.anyFile()
	if !ok {
		return false
	}
	text := s.text + fmt.Sprintf("\nvar judgeSlow%d = \"%d\"\n", e.id, e.id)
	e.write(s.rel, text) // remembers what was there
	for i := 1; i <= 4 && e.err == nil; i++ {
		e.fail(os.WriteFile(e.path(s.rel), []byte(text[:len(text)*i/4]), 0o644))
		e.wait(4 * fastMost)
	}
	return e.say("%s: saved in pieces", s.rel)
}

func touch(e *editor) bool {
	s, ok := e.anyFile()
	if !ok {
		return false
	}
	now := time.Now()
	e.fail(os.Chtimes(e.path(s.rel), now, now))
	return e.say("%s: touched", s.rel)
}

// mtimeBack edits a file and makes it look old.
func mtimeBack(e *editor) bool {
	s, ok := e.anyFile()
	if !ok {
		return false
	}
	e.write(s.rel, s.text+fmt.Sprintf("\nvar judgeOld%d = \"%d\"\n", e.id, e.id))
	old := time.Now().Add(-time.Hour)
	e.fail(os.Chtimes(e.path(s.rel), old, old))
	return e.say("%s: edited, with the time of an hour ago", s.rel)
}

// sameSizeTime changes one letter of a string in place and sets the time back.
func sameSizeTime(e *editor) bool {
	s, lit, ok := pick(e, stringsIn)
	if !ok {
		return false
	}
	fi, err := os.Stat(e.path(s.rel))
	if err != nil {
		return false
	}
	at := s.at(lit.Pos()) + 1
	letter := byte('a' + e.id%26)
	if s.text[at] == letter {
		letter = '0'
	}
	text := s.text[:at] + string(letter) + s.text[at+1:]
	e.write(s.rel, text)
	e.fail(os.Chtimes(e.path(s.rel), fi.ModTime(), fi.ModTime()))
	return e.say("%s: another letter in %s, same size and time", s.rel, lit.Value)
}
