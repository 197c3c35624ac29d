//go:build unix

package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

func TestProcessFindsLines(t *testing.T) {
	p, err := start("sh", t.TempDir(), os.Environ(), "sh", "-c", "echo one; echo two >&2; read x; echo three; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	defer p.kill()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if l, err := p.find(ctx, 0, showing("two")); err != nil || l.text != "two" || l.at.IsZero() {
		t.Errorf("find two: %+v, %v", l, err)
	}
	// Standard input is empty: read fails at once and the shell goes on.
	if _, err := p.find(ctx, 2, showing("three")); err != nil {
		t.Errorf("find three: %v", err)
	}
	if _, err := p.find(ctx, 0, showing("four")); err == nil || !strings.Contains(err.Error(), "ended: exit status 3") {
		t.Errorf("find four: %v", err)
	}
	if tail := p.tail(); !strings.Contains(tail, "sh: three") {
		t.Errorf("tail %q", tail)
	}
}

func TestProcessStopEndsTheGroup(t *testing.T) {
	p, err := start("sh", t.TempDir(), os.Environ(), "sh", "-c", "sleep 60 & echo begun; wait")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := p.find(ctx, 0, showing("begun")); err != nil {
		t.Fatal(err)
	}
	p.stop()
	if p.alive() {
		t.Error("it still runs")
	}
}

func TestCommandTellsWhatFailed(t *testing.T) {
	_, err := command(t.Context(), t.TempDir(), os.Environ(), "sh", "-c", "echo broken; exit 1")
	if err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("error %v, want one with the output", err)
	}
}

func TestEvents(t *testing.T) {
	const reload = `{"event":"reload","time":"2026-01-02T03:04:05Z","text":"a.go → 1 compiled","data":{"pid":42,"outcome":{"phases":{"compile":9000000,"link":11000000}}}}`
	const nothing = `{"event":"nothing","text":"a_test.go: nothing to do: test file","data":{"file":"/src/pkg/a_test.go"}}`
	if e, ok := parseEvent(reload); !ok || e.Event != "reload" || e.Data.Pid != 42 || e.Data.Outcome.Phases.Link != 11e6 {
		t.Errorf("reload: %+v, %v", e, ok)
	}
	for _, text := range []string{"listening", `{"level":"info"}`, "{", ""} {
		if _, ok := parseEvent(text); ok {
			t.Errorf("%q is taken for an event", text)
		}
	}
	match := told("nothing", "pkg/a_test.go")
	if !match(nothing) || match(reload) || match(strings.ReplaceAll(nothing, "a_test", "b_test")) {
		t.Error("told accepts another line than that about its file")
	}
}
