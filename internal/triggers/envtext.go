package triggers

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/joho/godotenv"
)

// parseEnv reads the text of an env file. No error quotes it: a line may be, or
// follow, a password.
func parseEnv(text []byte) (map[string]string, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // editors on Windows write a byte order mark
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return nil, errors.New("it is UTF-16: save it as UTF-8")
	}
	if line, why := envFault(string(text)); why != "" {
		return nil, fmt.Errorf("line %d: %s", line, why)
	}
	text, back := asText(text)
	vars, err := godotenv.UnmarshalBytes(text)
	if err != nil {
		return nil, errors.New("a line is no NAME=value") // the error itself may quote the rest of the file
	}
	for name, value := range vars {
		vars[name] = back.Replace(value)
	}
	return vars, nil
}

// asText returns text with a character in place of each byte that is not UTF-8,
// for godotenv puts U+FFFD there, and what gives the bytes back. The characters
// are of the last plane, which nobody uses; those that the text has are not taken.
func asText(text []byte) ([]byte, *strings.Replacer) {
	if utf8.Valid(text) {
		return text, strings.NewReplacer()
	}
	var there [256]rune
	var pairs []string
	next := rune(0x100000)
	for b := utf8.RuneSelf; b < len(there); b++ {
		for bytes.ContainsRune(text, next) {
			next++
		}
		there[b] = next
		pairs = append(pairs, string(next), string([]byte{byte(b)}))
		next++
	}
	var out []byte
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 {
			r = there[text[0]]
		}
		out, text = utf8.AppendRune(out, r), text[size:]
	}
	return out, strings.NewReplacer(pairs...)
}

// envFault finds the first line that is no assignment. The grammar is that of
// godotenv, whose own errors have no line and quote what follows.
func envFault(text string) (line int, why string) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	at := 0
	number := func() int { return 1 + strings.Count(text[:at], "\n") }
	for {
		at += skipBlank(text[at:])
		if at == len(text) {
			return 0, ""
		}
		size, why := envName(text[at:])
		if why != "" {
			return number(), why
		}
		at += size
		size, why = envValue(text[at:])
		if why != "" {
			return number(), why
		}
		at += size
	}
}

// skipBlank returns the size of white space and comments in front of a name.
func skipBlank(text string) int {
	rest := text
	for {
		rest = strings.TrimLeftFunc(rest, unicode.IsSpace)
		if !strings.HasPrefix(rest, "#") {
			return len(text) - len(rest)
		}
		end := strings.IndexByte(rest, '\n')
		if end < 0 {
			return len(text)
		}
		rest = rest[end:]
	}
}

// envName returns the size of a name with its = or :, or why it is none.
func envName(text string) (size int, why string) {
	for i, c := range []byte(text) {
		switch {
		case c == '=' || c == ':':
			if strings.TrimSpace(text[:i]) == "" {
				return 0, "there is no name before " + string(c)
			}
			return i + 1, ""
		case c == '\n':
			return 0, "there is no = in it"
		case c == '_' || c == '.' || blankInLine(c):
		case c >= 0x80 && (unicode.IsLetter(rune(c)) || unicode.IsNumber(rune(c))):
		case c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z':
		default:
			return 0, "the name has another character than letters, digits, _ and ."
		}
	}
	return 0, "there is no = in it"
}

// envValue returns the size of a value, quoted or up to the end of its line, or
// why it is none.
func envValue(text string) (size int, why string) {
	begin := 0
	for begin < len(text) && blankInLine(text[begin]) {
		begin++
	}
	end := len(text)
	if begin < len(text) && (text[begin] == '"' || text[begin] == '\'') {
		quote := text[begin]
		end = -1
		for i := begin + 1; i < len(text) && end < 0; i++ {
			if text[i] == quote && text[i-1] != '\\' {
				end = i + 1
			}
		}
		if end < 0 {
			return 0, "the quotation has no end"
		}
	} else if i := strings.IndexAny(text[begin:], "\r\n"); i >= 0 {
		end = begin + i
	}
	if strings.IndexByte(text[begin:end], 0) >= 0 {
		return 0, "the value has a zero byte" // no system takes it
	}
	return end, ""
}

// blankInLine reports whether a byte is white space that ends no line.
func blankInLine(c byte) bool {
	switch c {
	case '\t', '\v', '\f', '\r', ' ', 0x85, 0xa0:
		return true
	}
	return false
}
