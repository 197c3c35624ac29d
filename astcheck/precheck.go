// Package astcheck judges an edit of one Go file from its bytes alone.
//
// Check reads a file into a Precheck: what the go command and the compiler
// take from it, as hashes and a few names. Compare and Next turn two states of
// a file into a Verdict: does the edit matter, and must the package graph be
// loaded anew. It reads no files, knows no build context (package tags says
// which files are in) and does not check types: what only the compiler can
// refuse is left to the compiler. Package graph and cmd/hr call it. Everything
// here is pure; a Precheck is never changed once made, so all of it may be
// used by several goroutines at once.
package astcheck

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// Version of the parser and of the Precheck it makes. It is part of every key
// under which a Precheck is stored and grows whenever Check would answer
// differently for the same bytes.
const Version = 1

// Precheck is what one Go file says to the go command and the compiler. It
// depends on the bytes alone, except that Error names the file: one with an
// Error must not be stored under the hash of its content.
type Precheck struct {
	// Hash is the SHA-256 of the bytes.
	Hash Sum `json:"h"`
	// Tokens is the hash of all that the compiler and cgo see, positions
	// aside: the tokens, the directives among them, the constraint, the cgo
	// preamble. Two files with the same Tokens both parse or both do not.
	Tokens Sum `json:"t"`
	// Shape is Tokens without the commas and semicolons that Go lets one omit
	// before a closing bracket. It says that two files mean the same only if
	// both parse.
	Shape Sum `json:"s"`
	// Package is the name in the package clause.
	Package string `json:"p,omitempty"`
	// Imports are in source order; a path may occur more than once.
	Imports []Import `json:"i,omitempty"`
	// Constraint is the //go:build expression in the form of go/build/
	// constraint, Expr.String, or all // +build lines joined into one where
	// these decide; "" if there is none.
	Constraint string `json:"b,omitempty"`
	// Directives are those which change how the package is built or linked
	// beyond the compilation of this file, in order: //go:debug and
	// //go:binary-only-package above the package clause, //go:linkname,
	// //go:cgo_*, and in a cgo file //export.
	Directives []string `json:"d,omitempty"`
	// Embeds are the patterns of //go:embed in order, where the file imports
	// "embed": without it the go command does not read them.
	Embeds []string `json:"e,omitempty"`
	// Cgo is the hash of the preamble with its #cgo lines, "" if the file does
	// not import "C".
	Cgo string `json:"c,omitempty"`
	// Decls are the top-level declarations in order; none if Error is set.
	Decls []Decl `json:"f,omitempty"`
	// Error tells why the file does not parse, nil if it does.
	Error *SyntaxError `json:"err,omitempty"`
}

// Import is one import spec. Name is "" if the source gives none, else the
// name, "." or "_".
type Import struct {
	Name string `json:"n,omitempty"`
	Path string `json:"p"`
}

// ImportsC reports whether the file is a cgo file.
func (p Precheck) ImportsC() bool { return p.Cgo != "" }

// Paths returns the set of imported paths in order of first mention.
func (p Precheck) Paths() []string {
	var list []string
	seen := make(map[string]bool, len(p.Imports))
	for _, i := range p.Imports {
		if !seen[i.Path] {
			seen[i.Path] = true
			list = append(list, i.Path)
		}
	}
	return list
}

// Sum is a SHA-256. As text it is unpadded URL-safe base64.
type Sum [sha256.Size]byte

// MarshalText implements encoding.TextMarshaler.
func (s Sum) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, s[:]), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Sum) UnmarshalText(text []byte) error {
	b, err := base64.RawURLEncoding.AppendDecode(nil, text)
	if err != nil {
		return fmt.Errorf("read hash: %w", err)
	}
	if len(b) != len(s) {
		return fmt.Errorf("read hash: %d bytes, want %d", len(b), len(s))
	}
	copy(s[:], b)
	return nil
}
