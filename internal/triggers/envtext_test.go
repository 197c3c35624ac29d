package triggers

import (
	"strings"
	"testing"

	"github.com/joho/godotenv"
)

func TestParseEnv(t *testing.T) {
	for _, c := range []struct{ text, err, name, value string }{
		{"\ufeffA=1\n", "", "A", "1"},
		{"\ufeff# x\r\nexport A='1'\r\n", "", "A", "1"},
		{"A: yaml\n", "", "A", "yaml"},
		{"A=\"two\nlines\"\nB=2\n", "", "A", "two\nlines"},
		{"A=\nB=2", "", "A", ""},
		{"A=\xff/\xe9t\xe9 # \xfe\nB=x", "", "A", "\xff/\xe9t\xe9"},
		{"B=1\nA=\"\xfe\U00100000\U0010007f é\"", "", "A", "\xfe\U00100000\U0010007f é"},
		{"A=\xff\nB=\"${A}-\xfe\"", "", "B", "\xff-\xfe"},
		{"A=1\nFOO-BAR=x\nPASSWORD=hunter2\n", "line 2: the name has", "", ""},
		{"A=1\n\n# c\nKEY=\"hunter2\nB=3\n", "line 4: the quotation has no end", "", ""},
		{"A='hunter2", "line 1: the quotation has no end", "", ""},
		{"A=1\nhunter2\nB=2\n", "line 2: there is no = in it", "", ""},
		{"A=1\nhunter2", "line 2: there is no = in it", "", ""},
		{"A=1\n=hunter2\n", "line 2: there is no name", "", ""},
		{"KEY=-----BEGIN\nhunter2/abc+def==\nB=1", "line 2: the name has", "", ""},
		{"A\u200b=hunter2", "line 1: the name has", "", ""},
		{"B=1\n\ufeffA=hunter2", "line 2: the name has", "", ""},
		{"A=hunter2\x00", "line 1: the value has a zero byte", "", ""},
		{"\xff\xfeA\x00=\x00", "UTF-16", "", ""},
		{"\xfe\xff\x00A\x00=", "UTF-16", "", ""},
	} {
		vars, err := parseEnv([]byte(c.text))
		switch {
		case err == nil && (c.err != "" || vars[c.name] != c.value):
			t.Errorf("%q: %q, want %q and error %q", c.text, vars[c.name], c.value, c.err)
		case err != nil && (c.err == "" || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%q: error %v, want %q", c.text, err, c.err)
		case err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n")):
			t.Errorf("%q: %v quotes the file", c.text, err)
		}
	}
}

// FuzzParseEnv compares the grammar here with godotenv's: what that refuses is
// refused with a line, and nothing that it takes is lost, empty names and zero
// bytes apart.
func FuzzParseEnv(f *testing.F) {
	for _, s := range []string{"A=1\n", "export B='x'#y", "A:1 \"", "A=\"x\\\"\nB", "a b=c\r\n=", "\u00a0A=\u0085x", "A=\rB=\"\n\"C=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, refused := godotenv.Unmarshal(s)
		_, empty := want[""]
		_, why := envFault(s)
		switch {
		case refused != nil && why == "":
			t.Errorf("%q is taken, godotenv says %v", s, refused)
		case refused == nil && why != "" && !empty && !strings.Contains(why, "zero") && !strings.Contains(why, "no ="):
			t.Errorf("%q is refused (%s), godotenv gives %v", s, why, want)
		}
	})
}
