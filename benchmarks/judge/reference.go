package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hotreflex/hr/benchmarks/judge/edits"
	"github.com/hotreflex/hr/benchmarks/judge/same"
)

// reference is what go build makes of a tree.
type reference struct {
	path string // the program
	text string // what it said if it failed
	ok   bool
	took time.Duration
}

// goBuild runs go build with the flags that hr uses.
func goBuild(ctx context.Context, p *edits.Program, flags, env []string, out string) (reference, error) {
	args := append([]string{"build", "-o", out}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, p.Package)...)
	cmd.Dir, cmd.Env = p.Dir, append(slices.Clone(env), "PWD="+p.Dir)
	begin := time.Now()
	said, err := cmd.CombinedOutput()
	r := reference{path: out, text: strings.TrimRight(string(said), "\n"), ok: err == nil, took: time.Since(begin)}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		return r, fmt.Errorf("go build: %w", err)
	}
	return r, nil
}

// behaviour is what a program does that anybody can see: what it prints and its
// exit code, or what its server answers.
func behaviour(ctx context.Context, p *edits.Program, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if len(p.Paths) > 0 {
		return serverBehaviour(ctx, p, path)
	}
	cmd := exec.CommandContext(ctx, path, p.Args...)
	cmd.Dir = os.TempDir()
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	text := string(out)
	if err != nil {
		text = stable(text)
	}
	return fmt.Sprintf("%v\n%s", err, text), nil
}

// stable cuts what a panic prints to its message: addresses and the numbers of
// goroutines differ from run to run.
func stable(text string) string {
	head, _, _ := strings.Cut(text, "\ngoroutine ")
	return head
}

// clock matches times of day in what a server answers.
var clock = regexp.MustCompile(`(\d{4}-\d\d-\d\dT)?\d\d:\d\d:\d\d(\.\d+Z)?`)

func serverBehaviour(ctx context.Context, p *edits.Program, path string) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	addr := l.Addr().String()
	l.Close()
	cmd := exec.CommandContext(ctx, path, "-addr", addr)
	cmd.Dir = os.TempDir()
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &said, &said, time.Second
	if err := cmd.Start(); err != nil {
		return "", err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	var b strings.Builder
	for i := 0; i < len(p.Paths); {
		resp, err := client.Get("http://" + addr + p.Paths[i])
		if err != nil {
			select {
			case err := <-ended:
				text := clock.ReplaceAllString(strings.ReplaceAll(said.String(), addr, "address"), "time")
				return fmt.Sprintf("%v\n%s", err, stable(text)), nil
			case <-time.After(5 * time.Millisecond):
				continue
			}
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Fprintf(&b, "%s: %s\n%s\n", p.Paths[i], resp.Status, clock.ReplaceAll(body, []byte("time")))
		i++
	}
	cmd.Process.Kill()
	<-ended
	return b.String(), nil
}

// sameProgram compares as the linker allows.
func (o *options) sameProgram(ctx context.Context, p *edits.Program, got, want string) (bool, string, error) {
	if o.linker == "go" {
		ok, err := same.Programs(got, want)
		return ok, fmt.Sprintf("%s is not %s", got, want), err
	}
	x, err := behaviour(ctx, p, got)
	if err != nil {
		return false, "", fmt.Errorf("run %s: %w", filepath.Base(got), err)
	}
	y, err := behaviour(ctx, p, want)
	if err != nil {
		return false, "", fmt.Errorf("run what go build made: %w", err)
	}
	return x == y, fmt.Sprintf("hr's program says\n%s\nthat of go build\n%s", x, y), nil
}
