package astcheck

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
)

// Decl is one top-level declaration; of a group, each spec is one. It serves
// to say what an edit touched and decides nothing, so its hashes are short.
type Decl struct {
	// Kind is "import", "const", "var", "type" or "func".
	Kind string
	// Name is "Hello", "(*Store).Get", "a, b" or "_"; "" for imports.
	Name string
	// Head is the hash of a function without its body, of anything else as a
	// whole, in both cases with the directives above it. Body is the hash of a
	// function's body, 0 if it has none.
	Head, Body uint32
}

// String returns words for the declaration, as in "func (*Store).Get".
func (d Decl) String() string {
	if d.Name == "" {
		return d.Kind
	}
	return d.Kind + " " + d.Name
}

// MarshalText writes the declaration as one short word list: a stored file has
// hundreds of them.
func (d Decl) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%s %s %s %s", d.Kind, short(d.Head), short(d.Body), d.Name), nil
}

// UnmarshalText reads what MarshalText writes.
func (d *Decl) UnmarshalText(text []byte) error {
	f := strings.SplitN(string(text), " ", 4)
	if len(f) != 4 {
		return fmt.Errorf("read declaration: %q has not four parts", text)
	}
	head, err := long(f[1])
	if err != nil {
		return err
	}
	body, err := long(f[2])
	if err != nil {
		return err
	}
	*d = Decl{Kind: f[0], Name: f[3], Head: head, Body: body}
	return nil
}

func short(v uint32) string {
	return base64.RawURLEncoding.EncodeToString([]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}

func long(s string) (uint32, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) != 4 {
		return 0, fmt.Errorf("read declaration: %q is no hash", s)
	}
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]), nil
}

// declScanner walks the tokens of a file that parses. It needs no syntax tree:
// at the top level a keyword starts a declaration and a semicolon ends it.
type declScanner struct {
	canon []byte
	pos   int    // behind tok
	start int    // of tok
	tok   []byte // "" at the end
	prev  []byte
	out   []Decl
}

func decls(canon []byte) []Decl {
	s := &declScanner{canon: canon}
	s.next()
	for len(s.tok) > 0 {
		s.decl()
	}
	return s.out
}

// next moves to the next token that is not a mark.
func (s *declScanner) next() {
	s.prev = s.tok
	for {
		s.step()
		if len(s.tok) == 0 || s.tok[0] != markOwnLine && s.tok[0] != markInline {
			return
		}
	}
}

func (s *declScanner) step() {
	s.start = s.pos
	n := bytes.IndexByte(s.canon[s.pos:], 0)
	if n < 0 {
		s.tok = nil
		s.pos = len(s.canon)
		return
	}
	s.tok = s.canon[s.pos : s.pos+n]
	s.pos += n + 1
}

func (s *declScanner) at(word string) bool { return string(s.tok) == word }

// decl reads one declaration with the semicolon that ends it.
func (s *declScanner) decl() {
	from := s.declStart()
	kind := string(s.tok)
	s.next()
	switch kind {
	case "func":
		s.funcDecl(from)
	case "const", "var", "type":
		if !s.at("(") {
			s.spec(kind, from)
			break
		}
		s.next()
		for len(s.tok) > 0 && !s.at(")") {
			s.spec(kind, s.declStart())
			if s.at(";") {
				s.next()
			}
		}
		s.next()
	case "import":
		s.skip()
		s.add(Decl{Kind: kind, Head: s.hash(from, s.start)})
	}
	s.skip()
	s.next()
}

// declStart returns the offset of the marks that stand directly before tok.
func (s *declScanner) declStart() int {
	at := s.start
	for at > 0 {
		before := bytes.LastIndexByte(s.canon[:at-1], 0) + 1
		if c := s.canon[before]; c != markOwnLine && c != markInline {
			break
		}
		at = before
	}
	return at
}

// spec reads one const, var or type spec.
func (s *declScanner) spec(kind string, from int) {
	name := string(s.tok)
	s.next()
	for kind != "type" && s.at(",") {
		s.next()
		name += ", " + string(s.tok)
		s.next()
	}
	s.skip()
	s.add(Decl{Kind: kind, Name: name, Head: s.hash(from, s.start)})
}

func (s *declScanner) funcDecl(from int) {
	name := ""
	if s.at("(") {
		name = s.receiver() + "."
	}
	name += string(s.tok)
	body := s.skipHead()
	head := s.start
	s.skip()
	d := Decl{Kind: "func", Name: name, Head: s.hash(from, head)}
	if body {
		d.Body = s.hash(head, s.start)
	}
	s.add(d)
}

// receiver reads a receiver and returns "T" or "(*T)".
func (s *declScanner) receiver() string {
	s.next()
	star, name := "", ""
	for round, square := 1, 0; len(s.tok) > 0 && round > 0; s.next() {
		switch c := s.tok[0]; {
		case c == '(':
			round++
		case c == ')':
			round--
		case c == '[':
			square++
		case c == ']':
			square--
		case c == '*' && square == 0:
			star = "*"
		case isLetter(c) && square == 0:
			name = string(s.tok) // the last word is the type, one before it the variable
		}
	}
	if star != "" {
		return "(*" + name + ")"
	}
	return name
}

// skipHead moves to the brace that opens a function's body and reports true,
// or to the end of a function without one. The braces of struct and interface
// types in the results do not open the body.
func (s *declScanner) skipHead() bool {
	for depth := 0; len(s.tok) > 0; s.next() {
		switch string(s.tok) {
		case "{":
			if depth == 0 && string(s.prev) != "struct" && string(s.prev) != "interface" {
				return true
			}
			depth++
		case "(", "[":
			depth++
		case ")", "]", "}":
			depth--
		case ";":
			if depth == 0 {
				return false
			}
		}
	}
	return false
}

// skip moves to the semicolon that ends the declaration or spec, to the
// bracket that closes its group, or to the end of the file.
func (s *declScanner) skip() {
	for depth := 0; len(s.tok) > 0; s.next() {
		switch string(s.tok) {
		case "(", "[", "{":
			depth++
		case ")", "]", "}":
			if depth--; depth < 0 {
				return
			}
		case ";":
			if depth == 0 {
				return
			}
		}
	}
}

func (s *declScanner) add(d Decl) { s.out = append(s.out, d) }

func (s *declScanner) hash(from, to int) uint32 {
	sum := sha256.Sum256(s.canon[from:to])
	return uint32(sum[0])<<24 | uint32(sum[1])<<16 | uint32(sum[2])<<8 | uint32(sum[3])
}
