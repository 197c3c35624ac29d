package main

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/hotreflex/hr/internal/protocol"
)

// backend is the hrd that this hr talks to: the user's, or one for this hr alone.
type backend struct {
	client *protocol.Client
	local  *protocol.Private // nil with the user's own
}

// drainTime is how long a daemon of another build may take to let go of its
// socket; it does so before it waits for its sessions.
const drainTime = 2 * time.Second

// connect finds or starts hrd. Without it everything works, only slower: then
// why says what is wrong, to be told once.
func connect(ctx context.Context, noDaemon bool) (b *backend, why string, err error) {
	if noDaemon {
		b, err = privateBackend(ctx)
		return b, "", err
	}
	client, err := dialDaemon(ctx)
	if err == nil {
		return &backend{client: client}, "", nil
	}
	if ctx.Err() != nil {
		return nil, "", ctx.Err()
	}
	var e *protocol.Error
	if errors.As(err, &e) && e.Code == protocol.CodeUnsafe {
		return nil, "", err // the user must know that others could meddle
	}
	b, privateErr := privateBackend(ctx)
	return b, err.Error(), privateErr
}

// dialDaemon returns a client of a daemon of our own build.
func dialDaemon(ctx context.Context) (*protocol.Client, error) {
	dir, err := protocol.RunDir()
	if err != nil {
		return nil, err
	}
	exe, err := findDaemon()
	if err != nil {
		return nil, err
	}
	spawn := protocol.SpawnOptions{Exe: exe, Args: []string{"serve", "--background"}, Env: os.Environ()}
	ensure := func(ctx context.Context) (net.Conn, error) { return protocol.Ensure(ctx, dir, spawn) }
	client := protocol.NewClient(ensure)
	hello, err := client.Hello(ctx)
	for try := 1; err != nil && protocol.Gone(err) && try < dyingTries && pause(ctx); try++ {
		hello, err = client.Hello(ctx)
	}
	if err != nil {
		return nil, err
	}
	want, err := protocol.BuildIDOf(exe)
	fits := func(h protocol.Hello) bool { return h.BuildID == want && h.Revision == protocol.Revision }
	switch {
	case err == nil && hello.BuildID == want && !fits(hello):
		// hrd was replaced while this hr ran; others need that one.
		return nil, &protocol.Error{Code: protocol.CodeMismatch, Message: "the installed hrd is of another build than this hr", Hint: "start hr again"}
	case err == nil && fits(hello):
		return protocol.NewClient(func(ctx context.Context) (net.Conn, error) { return protocol.Dial(ctx, dir) }), nil
	}
	// Another build serves: it drains and leaves, and ours takes its place.
	if err := client.Stop(ctx, false); err != nil && !protocol.Gone(err) {
		return nil, err
	}
	client.Close()
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	for {
		client = protocol.NewClient(ensure)
		hello, err := client.Hello(ctx)
		if err == nil && fits(hello) {
			return client, nil
		}
		client.Close()
		if !pause(ctx) {
			return nil, &protocol.Error{Code: protocol.CodeMismatch, Message: "an hrd of another build does not make room", Hint: "hrd stop --now ends it"}
		}
	}
}

// dyingTries is how often we ask while a daemon dies: one that was killed still
// takes connections until the kernel has torn it down, some milliseconds later.
const dyingTries = 5

// pause waits for the scheduling time of another process; it is false when ctx
// has ended.
func pause(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(10 * time.Millisecond):
		return true
	}
}

// findDaemon looks for hrd beside hr, then on PATH.
func findDaemon() (string, error) {
	name := "hrd"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if self, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(self); err == nil {
			self = real
		}
		path := filepath.Join(filepath.Dir(self), name)
		if fi, err := os.Stat(path); err == nil && fi.Mode().IsRegular() {
			return path, nil
		}
	}
	if path, err := exec.LookPath(name); err == nil {
		return filepath.Abs(path)
	}
	return "", &protocol.Error{Code: protocol.CodeAbsent, Message: "hrd is not installed beside hr or on PATH", Hint: "go install github.com/hotreflex/hr/cmd/hrd@latest"}
}

// privateBackend starts an hrd for this process alone, which keeps nothing.
func privateBackend(ctx context.Context) (*backend, error) {
	exe, err := findDaemon()
	if err != nil {
		return nil, err
	}
	p, err := protocol.StartPrivate(ctx, exe, os.Environ())
	if err != nil {
		return nil, err
	}
	return &backend{client: protocol.NewClient(p.Dial), local: p}, nil
}

// close ends what this process owns of the backend.
func (b *backend) close() {
	b.client.Close()
	if b.local != nil {
		b.local.Close()
	}
}
