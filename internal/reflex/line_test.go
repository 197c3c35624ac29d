package reflex

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

func TestReadConfig(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"one", `-r '\.go$' -- make`, `[\.go$]; make`},
		{"comments", "# first\n\n   # second\n-r x make # no comment\n", `[x]; make,#,no,comment`},
		{"quotes", `-r "a b" -- sh -c 'echo "$HOME"'`, `[a b]; sh,-c,echo "$HOME"`},
		{"bundled flags", `-sr x -- srv`, `[x]; srv service`},
		{"interspersed", `make -r x all`, `[x]; make,all`},
		{"backslash", "-r x \\\n  make \\\n  all", `[x]; make,all`},
		{"open quote", "-- sh -c 'a\nb'", "[]; sh,-c,a\nb"},
		{"windows lines", "-r x -- a\r\n-r y -- b\r\n", `[x]; a | [y]; b`},
		{"two", "-r x -- a\n-r y -- b", `[x]; a | [y]; b`},
		{"repeated", "-r x -r y a", `[x y]; a`},
		{"commas stay", "-r a,b c", `[a,b]; c`},
		{"long", "--regex=x --start-service --shutdown-timeout=2s --substitute=@ -- a", `[x]; a service`},
		{"command flags", "-- ls -l {}", `[]; ls,-l,{}`},

		{"global flag", "-v make", "error on line 1 of test: unknown shorthand flag: 'v' in -v"},
		{"config in config", "\n\n-c x make", "error on line 3 of test: unknown shorthand flag: 'c' in -c"},
		{"no command", "-r x", "error on line 1 of test: there is no command to run"},
		{"open at end", "-r 'x", "error on line 1 of test: Unterminated single-quoted string"},
		{"substitution and service", "-s echo {}", "error on line 1 of test: a service runs once for all files: --start-service does not go with {} in the command"},
		{"both kinds", "--only-files --only-dirs a", "error on line 1 of test: --only-files and --only-dirs together select nothing"},
		{"no symbol", "--substitute= a", "error on line 1 of test: the substitution symbol is empty"},
		{"no time", "-t 0 a", "error on line 1 of test: the shutdown timeout is not above zero"},
		{"empty", "# nothing\n", "test has no entry"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			lines, err := ReadConfig(strings.NewReader(tc.text), "test")
			var got []string
			for _, l := range lines {
				s := fmt.Sprintf("%v; %s", l.Regexes, strings.Join(l.Command, ","))
				if l.Service {
					s += " service"
				}
				got = append(got, s)
			}
			if err != nil {
				got = []string{err.Error()}
			}
			if s := strings.Join(got, " | "); s != tc.want {
				t.Errorf("got  %q\nwant %q", s, tc.want)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	lines, err := ReadConfig(strings.NewReader("make"), "test")
	if err != nil {
		t.Fatal(err)
	}
	if l := lines[0]; l.Substitute != "{}" || l.ShutdownTimeout != 500*time.Millisecond || l.Service || l.All || l.Source != "test, line 1" {
		t.Errorf("%+v", l)
	}
}

func TestWords(t *testing.T) {
	l := Line{Substitute: "@", Command: []string{"cp", "@", "out/@.bak", "{}"}}
	if got, want := l.Words("a b"), []string{"cp", "a b", "out/a b.bak", "{}"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if !l.PerFile() {
		t.Error("a command with the symbol does not run for each path")
	}
	l.Substitute = "%"
	if l.PerFile() {
		t.Error("a command without the symbol runs for each path")
	}
}

func TestGlobalCheck(t *testing.T) {
	for _, tc := range []struct {
		args string
		want string
	}{
		{"make", ""},
		{"-c f", ""},
		{"-c f -e -v -d none --own", ""},
		{"-e make", "--sequential without --config: there is only one command"},
		{"-c f -r x", "--regex together with --config: it belongs into the lines of f"},
		{"-c f make", "a command (make) together with --config: it belongs into a line of f"},
		{"-d pretty make", `unknown decoration "pretty": there are none, plain and fancy`},
		{"-d FANCY make", ""},
	} {
		t.Run(tc.args, func(t *testing.T) {
			fs := pflag.NewFlagSet("", pflag.ContinueOnError)
			fs.SetOutput(io.Discard)
			var g Global
			var l Line
			g.Define(fs)
			l.Define(fs)
			fs.Bool("own", false, "")
			if err := fs.Parse(strings.Fields(tc.args)); err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := g.Check(fs, "own"); err != nil {
				got = err.Error()
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestMark(t *testing.T) {
	for _, tc := range []struct {
		d    Decoration
		id   int
		want string
	}{
		{None, 0, "x"}, {None, Info, "x"},
		{Plain, 0, "[00] x"}, {Plain, 12, "[12] x"}, {Plain, Info, "[info] x"},
		{Fancy, 0, "\x1b[01;32m[00] x\x1b[m"}, {Fancy, 6, "\x1b[01;33m[06] x\x1b[m"}, {Fancy, Info, "\x1b[01;31m[info] x\x1b[m"},
	} {
		if got := tc.d.Mark(tc.id, "x"); got != tc.want {
			t.Errorf("%v of %d: got %q, want %q", tc.d, tc.id, got, tc.want)
		}
	}
}
