package protocol

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The test binary plays the other processes of a test: roleVar says which.
const roleVar = "HR_TEST_ROLE"

// patience bounds every wait of the tests: far more than anything here takes,
// also under the race detector on a loaded machine.
const patience = 60 * time.Second

func TestMain(m *testing.M) {
	dir := os.Getenv("HR_TEST_DIR")
	switch role := os.Getenv(roleVar); role {
	case "":
		os.Exit(m.Run())
	case "daemon":
		os.Exit(playDaemon(dir))
	case "refuse":
		Ready(&Error{CodeUnsafe, "the store is locked", "look there"})
	case "die":
		fmt.Fprintln(os.Stderr, "a line before")
		fmt.Fprintln(os.Stderr, "panic: no luck today")
		os.Exit(2)
	case "hang":
		poll(patience, func() bool { return !exists(dir) }) // until the test is over
	case "client":
		conn, err := Ensure(context.Background(), dir, daemonOptions(dir, "daemon"))
		if err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		fmt.Println(readPID(conn))
		conn.Close()
	}
}

// playDaemon records its pid in the file "started", tells every client its pid,
// and ends when a client says stop or its socket is gone.
func playDaemon(dir string) int {
	started, err := os.OpenFile(filepath.Join(dir, "started"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 3
	}
	fmt.Fprintln(started, os.Getpid())
	started.Close()
	l, err := Listen(dir)
	Ready(err)
	if err != nil {
		return 4
	}
	go func() {
		poll(patience, l.Vanished)
		l.Close()
	}()
	for {
		conn, err := l.Accept()
		if err != nil {
			return 0
		}
		go func() {
			fmt.Fprintln(conn, os.Getpid())
			if line, _ := bufio.NewReader(conn).ReadString('\n'); line == "stop\n" {
				l.Close()
			}
			conn.Close()
		}()
	}
}

func daemonOptions(dir, role string) SpawnOptions {
	env := append(without(os.Environ(), roleVar), roleVar+"="+role, "HR_TEST_DIR="+dir,
		"GORACE=atexit_sleep_ms=0") // the race detector waits a second at exit for late reports
	return SpawnOptions{Exe: os.Args[0], Env: env}
}

// readPID reads what playDaemon says first.
func readPID(conn net.Conn) int {
	line, _ := bufio.NewReader(conn).ReadString('\n')
	pid, _ := strconv.Atoi(strings.TrimSpace(line))
	return pid
}

// runDir makes a run directory in which no daemon is left behind.
func runDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	t.Setenv("HR_RUNTIME_DIR", dir)
	got, err := RunDir()
	if err != nil || got != dir {
		t.Fatalf("RunDir() = %q, %v; want %q", got, err, dir)
	}
	t.Cleanup(func() { stopDaemon(t, dir) })
	return dir
}

func stopDaemon(t *testing.T, dir string) {
	conn, err := Dial(context.Background(), dir)
	if errors.Is(err, ErrAbsent) {
		return
	}
	if err != nil {
		t.Errorf("connect to the test daemon: %v", err)
		return
	}
	fmt.Fprintln(conn, "stop")
	waitFor(t, "the daemon to leave", func() bool {
		l, err := Listen(dir)
		if err == nil {
			l.Close()
		}
		return err == nil
	})
	conn.Close()
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	if !poll(patience, done) {
		t.Fatalf("waited %v for %s", patience, what)
	}
}

func poll(limit time.Duration, done func() bool) bool {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); <-tick.C {
		if done() {
			return true
		}
	}
	return false
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// codeOf returns the code of the *Error in err's chain.
func codeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
