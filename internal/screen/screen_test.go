package screen

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/protocol"
)

// told returns what a screen that is a file has after the events.
func told(t *testing.T, asJSON bool, events ...event.Event) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "screen"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := New(f, asJSON)
	for _, e := range events {
		s.Tell(e)
	}
	data, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestLines(t *testing.T) {
	got := told(t, false,
		event.Notice{Text: "a file named \x1b[31m\nred"},
		event.Output{Text: "# m\n\x1b[2Jx.go:1: no\n"},
		event.Output{Text: "its \x1b[1mown", Program: true},
		event.Progress{Done: 1, All: 2},
		event.Error{Error: &protocol.Error{Code: protocol.CodeBuild, Message: "# m\nx.go:1: no", Hint: "mend it"}},
		event.Exit{Code: 1})
	want := `hr: a file named \x1b[31m\nred
# m
\x1b[2Jx.go:1: no
its ` + "\x1b[1mown" + `
# m
x.go:1: no
hr: the program does not build
hint: mend it
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestJSON(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(told(t, true, event.Notice{Text: "\x1b"}, event.Progress{Done: 1, All: 2})), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines: %q", len(lines), lines)
	}
	for i, want := range []string{"notice", "progress"} {
		var e struct {
			V        int
			Event    string
			Instance int
		}
		if err := json.Unmarshal([]byte(lines[i]), &e); err != nil || e.Event != want || e.V != event.Version || e.Instance != os.Getpid() {
			t.Errorf("%s: %+v, %v", lines[i], e, err)
		}
	}
}

func TestBar(t *testing.T) {
	for _, x := range []struct {
		p     event.Progress
		cells int
		want  string
	}{
		{event.Progress{}, 40, "hr: compiling"},
		{event.Progress{Done: 1, All: 2}, 3, "hr: compiling (1/2)"},
		{event.Progress{Done: 1, All: 2}, 10, "hr: compiling  50% |█████     | (1/2)"},
		{event.Progress{Done: 3, All: 2}, 10, "hr: compiling 100% |██████████| (3/2)"},
	} {
		if got := barText(x.p, x.cells); got != x.want {
			t.Errorf("%+v in %d cells: %q, want %q", x.p, x.cells, got, x.want)
		}
	}
}
