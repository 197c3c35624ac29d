package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// machine tells what the figures hold for. The names goos, goarch, pkg and cpu
// are those that the go command prints above benchmarks.
func machine(ctx context.Context, o options) ([]fact, int) {
	cpu := processor()
	if cpu == "" {
		cpu = "unknown"
	}
	procs := runtime.NumCPU()
	facts := []fact{
		{"goos", runtime.GOOS},
		{"goarch", runtime.GOARCH},
		{"pkg", "github.com/hotreflex/hr/benchmarks"},
		{"cpu", cpu},
		{"cores", fmt.Sprint(procs)},
		{"go", output(ctx, o.root, "go", "env", "GOVERSION")},
		{"commit", output(ctx, o.root, "git", "describe", "--always", "--dirty")},
		{"date", time.Now().UTC().Format("2006-01-02 15:04 MST")},
		{"air", version(airModule)},
		{"reflex", version(reflexModule)},
	}
	// What else ran meanwhile is part of the truth of a figure.
	if data, err := os.ReadFile("/proc/loadavg"); err == nil {
		f := strings.Fields(string(data))
		facts = append(facts, fact{"load-before", strings.Join(f[:min(3, len(f))], " ")})
	}
	return facts, procs
}

func version(module string) string {
	_, v, _ := strings.Cut(filepath.Base(module), "@")
	return v
}

// output is the one line that a command prints, "unknown" if it cannot.
func output(ctx context.Context, dir string, argv ...string) string {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if text := strings.TrimSpace(string(out)); err == nil && text != "" {
		return text
	}
	return "unknown"
}
