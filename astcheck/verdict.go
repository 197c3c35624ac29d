package astcheck

import (
	"fmt"
)

// Verdict says what an edit of a file asks for. The order is that of the work:
// of several files the greatest verdict holds.
type Verdict uint8

const (
	// Unused: the file is no input of the build. Compare never says so, its
	// callers do.
	Unused Verdict = iota
	// Same: nothing that the compiler or the go command sees has changed.
	Same
	// Body: the package must be compiled; the package graph still holds.
	Body
	// Header: the package graph must be loaded anew before anything else.
	Header
	// Broken: the file does not parse.
	Broken
)

var verdictNames = [...]string{"unused", "same", "body", "header", "broken"}

// String returns "unused", "same", "body", "header" or "broken".
func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return fmt.Sprintf("verdict %d", uint8(v))
}

// MarshalText implements encoding.TextMarshaler.
func (v Verdict) MarshalText() ([]byte, error) {
	if int(v) >= len(verdictNames) {
		return nil, fmt.Errorf("write verdict: no word for %d", uint8(v))
	}
	return []byte(v.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (v *Verdict) UnmarshalText(text []byte) error {
	for i, name := range verdictNames {
		if name == string(text) {
			*v = Verdict(i)
			return nil
		}
	}
	return fmt.Errorf("read verdict: unknown word %q", text)
}
