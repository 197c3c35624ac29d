package protocol

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestEnsureStartsOne(t *testing.T) {
	dir := runDir(t)
	const clients = 50
	var wg sync.WaitGroup
	pids := make([]int, clients)
	for i := range clients {
		wg.Go(func() {
			conn, err := Ensure(t.Context(), dir, daemonOptions(dir, "daemon"))
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			pids[i] = readPID(conn)
		})
	}
	wg.Wait()
	expectOneDaemon(t, dir, pids)
}

func TestEnsureStartsOneAcrossProcesses(t *testing.T) {
	dir := runDir(t)
	const clients = 10
	options := daemonOptions(dir, "client")
	var wg sync.WaitGroup
	pids := make([]int, clients)
	for i := range clients {
		wg.Go(func() {
			cmd := exec.Command(options.Exe)
			cmd.Env = options.Env
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v: %s", err, out)
				return
			}
			pids[i], _ = strconv.Atoi(strings.TrimSpace(string(out)))
		})
	}
	wg.Wait()
	expectOneDaemon(t, dir, pids)
}

func expectOneDaemon(t *testing.T, dir string, pids []int) {
	t.Helper()
	started := startedPIDs(t, dir)
	if len(started) != 1 {
		t.Fatalf("%d daemons were started: %v", len(started), started)
	}
	for i, pid := range pids {
		if pid != started[0] {
			t.Errorf("client %d met daemon %d, want %d", i, pid, started[0])
		}
	}
}

// startedPIDs lists the test daemons that ran in dir, oldest first.
func startedPIDs(t *testing.T, dir string) []int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "started"))
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, field := range strings.Fields(string(text)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

func TestEnsureAfterKill(t *testing.T) {
	dir := runDir(t)
	for n := 1; n <= 3; n++ {
		conn, err := Ensure(t.Context(), dir, daemonOptions(dir, "daemon"))
		if err != nil {
			t.Fatal(err)
		}
		pid := readPID(conn)
		if started := startedPIDs(t, dir); len(started) != n || started[n-1] != pid {
			t.Fatalf("round %d: met %d, started %v", n, pid, started)
		}
		process, err := os.FindProcess(pid)
		if err != nil {
			t.Fatal(err)
		}
		if err := process.Kill(); err != nil {
			t.Fatal(err)
		}
		conn.Read(make([]byte, 1)) // ends when the daemon has ended
		conn.Close()
	}
}

func TestEnsureFails(t *testing.T) {
	tests := []struct {
		role, code, want string
	}{
		{"refuse", CodeUnsafe, "the store is locked"},
		{"die", CodeStart, "panic: no luck today"},
	}
	for _, test := range tests {
		t.Run(test.role, func(t *testing.T) {
			dir := runDir(t)
			_, err := Ensure(t.Context(), dir, daemonOptions(dir, test.role))
			if codeOf(err) != test.code || !strings.Contains(err.Error(), test.want) || AsError(err).Hint == "" {
				t.Errorf("%v; want code %s, %q and a hint", err, test.code, test.want)
			}
		})
	}
	t.Run("no executable", func(t *testing.T) {
		dir := runDir(t)
		_, err := Ensure(t.Context(), dir, SpawnOptions{Exe: filepath.Join(dir, "hrd")})
		if codeOf(err) != CodeStart {
			t.Errorf("%v; want code %s", err, CodeStart)
		}
	})
}

func TestEnsureGivesUp(t *testing.T) {
	dir := runDir(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := Ensure(ctx, dir, daemonOptions(dir, "hang")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("impatient client: %v", err)
	}
	began := time.Now()
	_, err := Ensure(t.Context(), dir, daemonOptions(dir, "hang"))
	if codeOf(err) != CodeStart || !strings.Contains(err.Error(), "not ready") {
		t.Errorf("patient client: %v", err)
	}
	if took := time.Since(began); took < startLimit {
		t.Errorf("gave up after %v, want %v", took, startLimit)
	}
}

// A daemon started by hand holds the lock a moment before it has a socket.
func TestEnsureMeetsStartingDaemon(t *testing.T) {
	dir := runDir(t)
	l := listen(t, dir)
	path := filepath.Join(dir, socketName)
	if err := os.Rename(path, path+".later"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		// The started test daemon has found the lock taken by now.
		poll(patience, func() bool { return exists(filepath.Join(dir, "started")) })
		if err := os.Rename(path+".later", path); err != nil {
			t.Error(err)
		}
	})
	conn, err := Ensure(t.Context(), dir, daemonOptions(dir, "daemon"))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	l.Close()
}

// An old daemon that drains holds the lock for a while without a socket.
func TestEnsureMeetsLeavingDaemon(t *testing.T) {
	dir := runDir(t)
	old := listen(t, dir)
	if err := os.Remove(filepath.Join(dir, socketName)); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		// The started test daemon has found the lock taken by now.
		poll(patience, func() bool { return exists(filepath.Join(dir, "started")) })
		old.Close()
	})
	conn, err := Ensure(t.Context(), dir, daemonOptions(dir, "daemon"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if pids := startedPIDs(t, dir); readPID(conn) != pids[len(pids)-1] {
		t.Error("met another daemon than the last that was started")
	}
}

func TestReadyWithoutStarter(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, value := range []string{"", "nonsense", "-1", "1", "9999", strconv.Itoa(int(file.Fd()))} {
		t.Setenv(readyVar, value)
		Ready(nil)
		if _, set := os.LookupEnv(readyVar); set {
			t.Errorf("%q is left for the daemon's own children", value)
		}
	}
	if text, _ := os.ReadFile(file.Name()); len(text) > 0 {
		t.Errorf("wrote %q to a file that is no pipe", text)
	}
}

func TestLogIsPutAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), logName)
	if err := os.WriteFile(path, bytes.Repeat([]byte("x"), maxLog+1), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := openLog(path)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if info, err := log.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("the new log has %d bytes, %v", info.Size(), err)
	}
	if info, err := os.Stat(path + ".old"); err != nil || info.Size() != maxLog+1 {
		t.Errorf("the old log: %v", err)
	}
}
