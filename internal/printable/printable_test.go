package printable

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestLineAndText(t *testing.T) {
	for _, c := range []struct{ in, line, text string }{
		{"", "", ""},
		{"cmd/grüße/世界.go", "cmd/grüße/世界.go", "cmd/grüße/世界.go"},
		{"a\x1b]0;title\x07b", `a\x1b]0;title\x07b`, `a\x1b]0;title\x07b`},
		{"a\nhr: fake", `a\nhr: fake`, "a\nhr: fake"},
		{"a\tb", `a\tb`, "a\tb"},
		{"over\rwritten", `over\rwritten`, `over\rwritten`},
		{"dos\r\nline", `dos\r\nline`, "dos\nline"},
		{"c1 \u009b31m", `c1 \u009b31m`, `c1 \u009b31m`},
		{"raw c1 \x9b31m", `raw c1 \x9b31m`, `raw c1 \x9b31m`},
		{"bidi \u202egnp.exe\u2066", `bidi \u202egnp.exe\u2066`, `bidi \u202egnp.exe\u2066`},
		{"mark \u200e\u200f\u061c", `mark \u200e\u200f\u061c`, `mark \u200e\u200f\u061c`},
		{"hidden \u200b\ufeff\u00ad", `hidden \u200b\ufeff\u00ad`, `hidden \u200b\ufeff\u00ad`},
		{"separators \u2028\u2029\u0085", `separators \u2028\u2029\u0085`, `separators \u2028\u2029\u0085`},
		{"tag \U000e0041", `tag \U000e0041`, `tag \U000e0041`},
		{"del \x7f nul \x00 bs \b", `del \x7f nul \x00 bs \x08`, `del \x7f nul \x00 bs \x08`},
		{"family 👨\u200d👩 \u00a0wide\u3000", "family 👨\u200d👩 \u00a0wide\u3000", "family 👨\u200d👩 \u00a0wide\u3000"},
		{"not utf-8 \xff\xfe", `not utf-8 \xff\xfe`, `not utf-8 \xff\xfe`},
		{`C:\new`, `C:\new`, `C:\new`},
	} {
		if got := Line(c.in); got != c.line {
			t.Errorf("Line(%q) is %q, want %q", c.in, got, c.line)
		}
		if got := Text(c.in); got != c.text {
			t.Errorf("Text(%q) is %q, want %q", c.in, got, c.text)
		}
	}
}

type name string

func TestSprintf(t *testing.T) {
	got := Sprintf("%s %v %d %s %s %v %q %s|%-4s|\x1b[0m", "a\x1bb", errors.New("e\nf"), 3, []string{"x\x07"}, time.Second,
		name("n\x1b"), "q\x1b", Block("l1\nl2\x1b"), "ü")
	want := `a\x1bb e\nf 3 [x\x07] 1s n\x1b "q\\x1b" ` + "l1\nl2\\x1b|ü   |\x1b[0m"
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestFirstLine(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                        "plain",
		"bad `a\nb`":                   "bad `a…",
		`bad "a\nb" for --x`:           `bad "a…`,
		"bad \x1b":                     `bad \x1b`,
		strings.Repeat("ü", 150):       strings.Repeat("ü", 100) + "…",
		"x" + strings.Repeat("ü", 150): "x" + strings.Repeat("ü", 99) + "…",
	} {
		if got := FirstLine(in); got != want {
			t.Errorf("FirstLine(%q) is %q, want %q", in, got, want)
		}
	}
}

// FuzzEscape holds what a terminal may be shown.
func FuzzEscape(f *testing.F) {
	f.Add("a\x1b[31m\u202e\x9b\n")
	f.Fuzz(func(t *testing.T, s string) {
		line, text := Line(s), Text(s)
		if Line(line) != line || Text(text) != text || !utf8.ValidString(line) || !utf8.ValidString(text) {
			t.Errorf("%q: %q and %q are not what they say", s, line, text)
		}
		for _, r := range line {
			if r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e {
				t.Errorf("%q: %U is left", s, r)
			}
		}
		if out := fmt.Sprint(strings.Count(text, "\n")); strings.Count(s, "\n") != strings.Count(text, "\n") {
			t.Errorf("%q has %s lines", s, out)
		}
	})
}
