package protocol

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
)

func TestListen(t *testing.T) {
	dir := runDir(t)
	if _, err := Dial(t.Context(), dir); !errors.Is(err, ErrAbsent) {
		t.Fatalf("Dial before Listen: %v", err)
	}
	l := listen(t, dir)
	if _, err := Listen(dir); !errors.Is(err, ErrRunning) {
		t.Errorf("second Listen: %v", err)
	}
	expectReachable(t, dir, l)
	if l.Vanished() {
		t.Error("vanished while listening")
	}
	for range 2 {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := Dial(t.Context(), dir); !errors.Is(err, ErrAbsent) {
		t.Errorf("Dial after Close: %v", err)
	}
	expectReachable(t, dir, listen(t, dir))
}

// What a killed daemon leaves behind does not stop the next one.
func TestListenAfterCrash(t *testing.T) {
	dir := runDir(t)
	path := filepath.Join(dir, socketName)
	for _, name := range []string{path, temporary(path)} {
		stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: name, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		stale.SetUnlinkOnClose(false)
		stale.Close()
	}
	// A lock file is no proof of life, whatever it says and whoever has that pid now.
	if err := os.WriteFile(filepath.Join(dir, lockName), fmt.Appendln(nil, os.Getppid()), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Dial(t.Context(), dir); !errors.Is(err, ErrAbsent) {
		t.Errorf("Dial to a stale socket: %v", err)
	}
	expectReachable(t, dir, listen(t, dir))
}

func TestListenKeepsForeignFile(t *testing.T) {
	dir := runDir(t)
	path := filepath.Join(dir, socketName)
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(dir); codeOf(err) != CodeUnsafe {
		t.Errorf("Listen over a file: %v", err)
	}
	if text, _ := os.ReadFile(path); string(text) != "precious" {
		t.Error("the file was overwritten")
	}
	os.Remove(path)
}

func TestVanished(t *testing.T) {
	tests := []struct {
		name string
		harm func(dir string) error
	}{
		{"socket removed", func(dir string) error { return os.Remove(filepath.Join(dir, socketName)) }},
		{"directory removed", os.RemoveAll},
		{"directory moved", func(dir string) error { return os.Rename(dir, dir+".old") }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := runDir(t)
			l := listen(t, dir)
			if err := test.harm(dir); err != nil {
				t.Fatal(err)
			}
			if !l.Vanished() {
				t.Error("not noticed")
			}
			if err := l.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

// A daemon that lost its directory must not take its successor's socket along.
func TestCloseSparesSuccessor(t *testing.T) {
	dir := runDir(t)
	first := listen(t, dir)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := RunDir(); err != nil {
		t.Fatal(err)
	}
	second := listen(t, dir)
	if !first.Vanished() || second.Vanished() {
		t.Errorf("vanished: first %v, second %v", first.Vanished(), second.Vanished())
	}
	first.Close()
	expectReachable(t, dir, second)
}

func listen(t *testing.T, dir string) *Listener {
	t.Helper()
	l, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func expectReachable(t *testing.T, dir string, l *Listener) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client, err := Dial(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	server.Close()
}
