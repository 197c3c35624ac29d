package triggers

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"

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
	vars, err := godotenv.UnmarshalBytes(text)
	if err != nil {
		return nil, errors.New("a line is no NAME=value") // the error itself may quote the rest of the file
	}
	return vars, nil
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
