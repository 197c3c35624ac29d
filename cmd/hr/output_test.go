package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestOutputPassesAll: every byte arrives in order, also what is no line, and
// on one pipe where both streams are the same file.
func TestOutputPassesAll(t *testing.T) {
	for _, one := range []bool{true, false} {
		t.Run(fmt.Sprintf("one=%v", one), func(t *testing.T) {
			dir := t.TempDir()
			open := func(name string) *os.File {
				f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { f.Close() })
				return f
			}
			o := &outputs{ready: regexp.MustCompile("^ready [0-9]+"), stdout: open("out"), stderr: open("out")}
			if !one {
				o.stderr = open("err")
			}
			p, err := o.begin()
			if err != nil {
				t.Fatal(err)
			}
			if (p.stdout == p.stderr) != one {
				t.Fatalf("one pipe: %v", p.stdout == p.stderr)
			}
			var want [2]strings.Builder
			for i := range 500 {
				for s, f := range []*os.File{p.stdout, p.stderr} {
					text := fmt.Sprintf("line %d of %d\n", i, s)
					if i == 499 && s == 1 {
						text = "ready 1 without an end"
					}
					f.WriteString(text)
					if one {
						s = 0
					}
					want[s].WriteString(text)
				}
			}
			o.started(p)
			p.settle()
			o.close()
			select {
			case <-o.matched():
			default:
				t.Error("the line that makes it ready was not seen")
			}
			for i, name := range []string{"out", "err"} {
				got, _ := os.ReadFile(filepath.Join(dir, name))
				if string(got) != want[i].String() {
					t.Errorf("%s differs: %d bytes, want %d", name, len(got), want[i].Len())
				}
			}
			// Which of two pipes is read last is for the scheduler to say.
			if last := p.lines(true); len(last) != lastLines || one && last[lastLines-1] != "ready 1 without an end" {
				t.Errorf("last lines %q", last)
			}
		})
	}
}

// TestLastWords: what a program ended with is the head of its panic, however
// many goroutines follow.
func TestLastWords(t *testing.T) {
	many := make([]string, 100)
	for i := range many {
		many[i] = fmt.Sprint("line ", i)
	}
	trace := append(append([]string{"listening", "panic: first", "panic: no database"}, "", "goroutine 1 [running]:"), many...)
	for _, tt := range []struct {
		lines       []string
		first, last string
	}{
		{many[:3], "line 0", "line 2"},
		{many, "line 80", "line 99"},
		{trace, "panic: no database", "line 16"},
		{[]string{"a", "fatal error: all goroutines are asleep - deadlock!"}, "fatal error: all goroutines are asleep - deadlock!", "fatal error: all goroutines are asleep - deadlock!"},
	} {
		got := lastWords(tt.lines)
		if len(got) > lastLines || got[0] != tt.first || got[len(got)-1] != tt.last {
			t.Errorf("%q: %q", tt.lines[0], got)
		}
	}
	if got := lastWords(nil); len(got) != 0 {
		t.Errorf("of nothing: %q", got)
	}
}
