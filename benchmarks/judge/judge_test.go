package main

import (
	"bytes"
	"context"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hotreflex/hr/benchmarks/judge/edits"
)

// buildCommands builds hr and hrd and returns their directory.
func buildCommands(t *testing.T, flags ...string) string {
	t.Helper()
	bin := t.TempDir()
	args := append([]string{"build", "-buildvcs=false", "-o", bin + "/"}, flags...)
	cmd := exec.Command("go", append(args, "../../cmd/hr", "../../cmd/hrd")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the commands: %v\n%s", err, out)
	}
	return bin
}

// TestShort is the judge's short form: a few edits of the mixed tree, by bytes
// with the toolchain's linker in two build contexts at once, and by behaviour
// with the incremental one.
func TestShort(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("hr run is stopped by a signal here, which Windows has not")
	}
	bin := buildCommands(t)
	for _, words := range [][]string{
		{"-linker=go", "-contexts=dev,prod", "-edits=14", "-seed=1"},
		{"-linker=auto", "-contexts=nocgo", "-edits=14", "-seed=1"},
	} {
		t.Run(strings.Join(words, " "), func(t *testing.T) {
			var out bytes.Buffer
			// default.pgo has every package compiled anew.
			kinds := strings.Join(without(edits.Kinds(), "default.pgo"), ",")
			args := append([]string{"-bin=" + bin, "-examples=../../examples", "-trees=mixed", "-shrink=0", "-v", "-kinds=" + kinds}, words...)
			if code := run(args, &out); code != 0 {
				t.Errorf("exit code %d", code)
			}
			t.Log(out.String())
		})
	}
}

func without(list []string, name string) []string {
	var out []string
	for _, s := range list {
		if s != name {
			out = append(out, s)
		}
	}
	return out
}

// TestSteps reads back what a difference prints.
func TestSteps(t *testing.T) {
	want := []edits.Step{{Kind: "body constant", Seed: 7}, {Kind: edits.Undo}, {Kind: "go.mod go line", Seed: 1 << 50}}
	got, err := parseSteps(words(want))
	if err != nil || len(got) != len(want) {
		t.Fatalf("%v, %v", got, err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("step %d is %v, want %v", i, got[i], want[i])
		}
	}
	if _, err := parseSteps("nonsense"); err == nil {
		t.Error("nonsense is taken for steps")
	}
}

// TestState follows what hr tells.
func TestState(t *testing.T) {
	s := &session{probed: map[string]bool{}}
	for _, line := range []string{
		`{"event":"start","data":{"outcome":{"artifact":{"path":"/one"},"fallback":"first build"}}}`,
		`the program's own`,
		`{"event":"error","text":"# x\nbad","data":{"code":"build"}}`,
	} {
		s.take(line)
	}
	if st, _ := s.now(); !st.failed || st.text != "# x\nbad" || st.artifact != "/one" {
		t.Errorf("after an error: %+v", st)
	}
	s.take(`{"event":"nothing","data":{"file":"/a/probe1.txt"}}`)
	if !s.sawProbe("probe1.txt") || s.sawProbe("probe2.txt") {
		t.Error("the probe is not known")
	}
	s.take(`{"event":"restored"}`)
	if st, _ := s.now(); st.failed || st.artifact != "/one" {
		t.Errorf("after an undo: %+v", st)
	}
	s.take(`{"event":"unchanged","data":{"artifact":{"path":"/two"}}}`)
	if st, n := s.now(); st.failed || st.artifact != "/two" || n != 5 {
		t.Errorf("after a build: %+v, %d events", st, n)
	}
}

// TestPause ends with its context.
func TestPause(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if pause(ctx, time.Hour) {
		t.Error("it waited")
	}
}
