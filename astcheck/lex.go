package astcheck

import (
	"bytes"
	"go/build/constraint"
	"go/token"
	"strings"
	"unicode/utf8"
)

// This lexer is the cheap half of a check: an edit of comments or white space
// is recognised by it alone, in a small part of the time of a parse. It judges
// nothing. It only has to cut valid source into the very tokens that go/scanner
// sees (a test compares the two on all of GOROOT), and invalid source never
// finer than that: then equal output means equal tokens, and a file whose
// tokens are those of a file that parses, parses.
//
// The output is one text, each token followed by a NUL, a newline that ends a
// statement as ";". A directive, which is a comment that the compiler obeys,
// stands among the tokens where it occurs, after a byte that begins no token:
const (
	markOwnLine byte = 1 // on a line of its own, where the compiler wants it
	markInline  byte = 2 // behind something else
)

// lexed is a file cut into tokens.
type lexed struct {
	canon []byte
	marks []mark
}

// mark is a //go: directive.
type mark struct {
	text string // without carriage returns
	top  bool   // before the package clause
}

var bom = []byte{0xEF, 0xBB, 0xBF}

// lex cuts src into tokens. It reports false if the source cannot be valid:
// then the lexer's result must not be used.
func lex(src []byte) (lexed, bool) {
	// Nothing else here looks into comments, where bad bytes are errors too.
	if !utf8.Valid(src) || bytes.IndexByte(src, 0) >= 0 || bytes.Contains(src[min(1, len(src)):], bom) {
		return lexed{}, false
	}
	l := lexer{src: src}
	l.out.canon = make([]byte, 0, len(src)*3/4+64)
	if bytes.HasPrefix(src, bom) {
		l.pos = len(bom)
		l.line = len(bom)
	}
	ok := l.run()
	return l.out, ok
}

type lexer struct {
	src  []byte
	pos  int
	line int // offset of the start of the current line
	// ends says whether a newline here ends a statement; if that depends on
	// whether the last token, a word, is a keyword, word is that token.
	ends bool
	word []byte
	// started says whether a token has been seen, as opposed to comments.
	started bool
	out     lexed
}

func (l *lexer) run() bool {
	src := l.src
	for l.pos < len(src) {
		switch c := src[l.pos]; {
		case c == '\n':
			l.endStatement()
			l.pos++
			l.line = l.pos
		case c == ' ' || c == '\t' || c == '\r':
			l.pos++
		case isLetter(c):
			end := l.pos + 1
			for end < len(src) && (isLetter(src[end]) || isDigit(src[end])) {
				end++
			}
			l.word = src[l.pos:end]
			l.emit(end, true)
		case isDigit(c) || c == '.' && l.pos+1 < len(src) && isDigit(src[l.pos+1]):
			l.word = nil
			l.emit(numberEnd(src, l.pos), true)
		case c == '"' || c == '\'':
			end := quotedEnd(src, l.pos)
			if end < 0 {
				return false
			}
			l.word = nil
			l.emit(end, true)
		case c == '`':
			n := bytes.IndexByte(src[l.pos+1:], '`')
			if n < 0 {
				return false
			}
			l.rawString(l.pos + n + 2)
		case c == '/' && l.pos+1 < len(src) && src[l.pos+1] == '/':
			l.lineComment()
		case c == '/' && l.pos+1 < len(src) && src[l.pos+1] == '*':
			if !l.blockComment() {
				return false
			}
		case c < ' ':
			return false // a control byte, valid in strings and comments alone
		default:
			end := l.pos + operatorLen(src[l.pos:])
			op := src[l.pos:end]
			l.word = nil
			l.emit(end, c == ')' || c == ']' || c == '}' ||
				len(op) == 2 && (op[0] == '+' && op[1] == '+' || op[0] == '-' && op[1] == '-'))
		}
	}
	l.endStatement()
	return true
}

// emit writes the token from pos to end.
func (l *lexer) emit(end int, ends bool) {
	l.out.canon = append(l.out.canon, l.src[l.pos:end]...)
	l.out.canon = append(l.out.canon, 0)
	l.pos = end
	l.ends = ends
	l.started = true
}

// rawString writes a raw string up to end. Carriage returns are not part of
// its value.
func (l *lexer) rawString(end int) {
	text := l.src[l.pos:end]
	if i := bytes.LastIndexByte(text, '\n'); i >= 0 {
		l.line = l.pos + i + 1
	}
	for {
		i := bytes.IndexByte(text, '\r')
		if i < 0 {
			break
		}
		l.out.canon = append(l.out.canon, text[:i]...)
		text = text[i+1:]
	}
	l.out.canon = append(l.out.canon, text...)
	l.out.canon = append(l.out.canon, 0)
	l.pos = end
	l.ends = true
	l.word = nil
	l.started = true
}

// endStatement writes the semicolon that a newline or the end of the file
// stands for.
func (l *lexer) endStatement() {
	if l.ends && !(l.word != nil && continues(l.word)) {
		l.out.canon = append(l.out.canon, ';', 0)
	}
	l.ends = false
	l.word = nil
}

func (l *lexer) lineComment() {
	end := len(l.src)
	if n := bytes.IndexByte(l.src[l.pos:], '\n'); n >= 0 {
		end = l.pos + n
	}
	text := l.src[l.pos:end]
	if len(text) > 3 && (text[2] == 'g' || text[2] == 'l') {
		text = bytes.TrimSuffix(text, []byte{'\r'})
		switch {
		case bytes.HasPrefix(text, []byte("//go:")):
			l.directive(text)
		case bytes.HasPrefix(text, []byte("//line ")) && l.pos == l.line:
			l.mark(markOwnLine, text)
		}
	}
	l.pos = end
}

// blockComment skips a comment of the form /* */. One with a newline in it
// acts like a newline.
func (l *lexer) blockComment() bool {
	n := bytes.Index(l.src[l.pos+2:], []byte("*/"))
	if n < 0 {
		return false
	}
	end := l.pos + 2 + n + 2
	text := l.src[l.pos:end]
	if i := bytes.LastIndexByte(text, '\n'); i >= 0 {
		l.endStatement()
		l.line = l.pos + i + 1
	}
	if bytes.HasPrefix(text, []byte("/*line ")) {
		l.mark(markInline, text)
	}
	l.pos = end
	return true
}

// directive notes a //go: comment.
func (l *lexer) directive(text []byte) {
	m := mark{text: strings.ReplaceAll(string(text), "\r", ""), top: !l.started}
	l.out.marks = append(l.out.marks, m)
	switch {
	case len(bytes.Trim(l.src[l.line:l.pos], " \t\r")) > 0:
		l.mark(markInline, text)
	case m.top && constraint.IsGoBuild(m.text), hasVerb(m.text, "//go:generate"), hasVerb(m.text, "//go:fix"):
		// The constraint is compared as such. The others are for tools; the
		// compiler only cares that they stand alone.
	default:
		l.mark(markOwnLine, text)
	}
}

func (l *lexer) mark(kind byte, text []byte) {
	l.out.canon = append(l.out.canon, kind)
	l.out.canon = append(l.out.canon, text...)
	l.out.canon = append(l.out.canon, 0)
}

func isLetter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c >= utf8.RuneSelf
}

func isDigit(c byte) bool {
	return '0' <= c && c <= '9'
}

// continues reports whether a newline after the word does not end a statement:
// so it is after all keywords but four.
func continues(word []byte) bool {
	switch string(word) {
	case "break", "continue", "fallthrough", "return":
		return false
	}
	return token.IsKeyword(string(word))
}

// numberEnd returns the offset behind a number. All letters and dots are taken
// in, and a sign after the letter of an exponent.
func numberEnd(src []byte, i int) int {
	hex := src[i] == '0' && i+1 < len(src) && (src[i+1] == 'x' || src[i+1] == 'X')
	for i++; i < len(src); i++ {
		c := src[i]
		if isLetter(c) || isDigit(c) || c == '.' {
			continue
		}
		if c == '+' || c == '-' {
			e := src[i-1] | 0x20 // lower case
			if e == 'p' && hex || e == 'e' && !hex {
				continue
			}
		}
		break
	}
	return i
}

// quotedEnd returns the offset behind a string or rune in the quotes that it
// starts with, or -1 if it does not end on its line.
func quotedEnd(src []byte, i int) int {
	quote := src[i]
	for i++; i < len(src); i++ {
		switch src[i] {
		case quote:
			return i + 1
		case '\\':
			i++
			if i < len(src) && src[i] == '\n' {
				return -1
			}
		case '\n':
			return -1
		}
	}
	return -1
}

// operatorLen returns the length of the longest operator that s starts with,
// 1 for any other byte.
func operatorLen(s []byte) int {
	if len(s) < 2 {
		return 1
	}
	c, d, e := s[0], s[1], byte(0)
	if len(s) > 2 {
		e = s[2]
	}
	switch c {
	case '+', '-', '|':
		if d == c || d == '=' {
			return 2
		}
	case '*', '/', '%', '^', '=', '!', ':':
		if d == '=' {
			return 2
		}
	case '<':
		switch {
		case d == '<' && e == '=':
			return 3
		case d == '<', d == '=', d == '-':
			return 2
		}
	case '>':
		switch {
		case d == '>' && e == '=':
			return 3
		case d == '>', d == '=':
			return 2
		}
	case '&':
		switch {
		case d == '^' && e == '=':
			return 3
		case d == '^', d == '&', d == '=':
			return 2
		}
	case '.':
		if d == '.' && e == '.' {
			return 3
		}
	}
	return 1
}

// hasVerb reports whether a directive is verb alone or verb and arguments.
func hasVerb(text, verb string) bool {
	rest, ok := strings.CutPrefix(text, verb)
	return ok && (rest == "" || rest[0] == ' ' || rest[0] == '\t')
}
