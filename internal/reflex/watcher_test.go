//go:build linux

package reflex_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestReflexWatchesForRun has the real reflex find the saves of hr run: its
// silence is a phase of its own in the line that tells the times.
func TestReflexWatchesForRun(t *testing.T) {
	p := built(t)
	t.Setenv("HR_REFLEX", p.reflex)
	dir := t.TempDir()
	const program = "package main\n\nimport \"time\"\n\nfunc main() { println(\"version 1\"); time.Sleep(time.Hour) }\n"
	for name, text := range map[string]string{"go.mod": "module example.com/watched\n\ngo 1.26\n", "main.go": program} {
		if err := makeFile(dir, name, text); err != nil {
			t.Fatal(err)
		}
	}
	hr := side{name: "hr", path: p.hr, args: []string{"run", "--no-daemon", "-v", "--watcher=reflex"}}
	w := begin(t, hr, dir, []string{"."}, "")
	w.awaitError("(#1)")
	// Reflex does not tell when it has begun to watch; the comparison that hr
	// makes after a second would find what it missed, without a phase of its.
	<-time.After(1500 * time.Millisecond)
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(strings.Replace(program, "1", "2", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	w.awaitError("version 2")
	w.awaitError("(#2)")
	if text := w.errors(); !regexp.MustCompile(`(?m)^ +reflex 300 ms, `).MatchString(text) {
		t.Errorf("the silence of reflex is no phase:\n%s", text)
	}
}

// awaitError waits for a text on standard error.
func (w *watcherRun) awaitError(text string) {
	w.t.Helper()
	deadline := time.Now().Add(3 * patience) // a first build is among it
	for !strings.Contains(w.errors(), text) {
		if time.Now().After(deadline) {
			w.t.Fatalf("%q does not come:\n%s", text, w.errors())
		}
		<-time.After(5 * time.Millisecond)
	}
}
