package protocol

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// startLimit bounds Ensure when no daemon is up. A daemon is ready in tens of
// milliseconds; a user who waits longer than this is better served without one.
const startLimit = 3 * time.Second

// startPoll is the pause between tries for the start lock or the socket while
// somebody else starts the daemon: well below what a start takes, and even 50
// waiting clients make no load.
const startPoll = 10 * time.Millisecond

// maxLog is the size in bytes at which a log is put aside before a new daemon
// writes to it. One older log is kept, so the two stay small.
const maxLog = 1 << 20

// SpawnOptions say how to start the daemon.
type SpawnOptions struct {
	Exe     string   // executable, required
	Args    []string // its arguments, without the program's name
	Env     []string // its environment; nil means this process's
	LogPath string   // file for its output; empty means LogPath(dir)
	Stdin   *os.File // nil for none
}

// Ensure connects to the daemon of dir and starts it when it is absent. Any
// number of processes may call it at once: one daemon is started. The daemon
// must call Ready. A failed start is an *Error of CodeStart, or the error that
// the daemon gave to Ready.
func Ensure(ctx context.Context, dir string, spawn SpawnOptions) (net.Conn, error) {
	conn, err := Dial(ctx, dir)
	if !errors.Is(err, ErrAbsent) {
		return conn, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit,
		startError(fmt.Sprintf("hrd was not ready in %v", startLimit), dir, spawn))
	defer cancel()
	conn, err = ensureLocked(ctx, dir, spawn)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return conn, err
}

// ensureLocked starts the daemon under the start lock, unless whoever held the
// lock before has done so.
func ensureLocked(ctx context.Context, dir string, spawn SpawnOptions) (net.Conn, error) {
	lock := flock.New(filepath.Join(dir, startName), flock.SetPermissions(0o600))
	defer lock.Close()
	if _, err := lock.TryLockContext(ctx, startPoll); err != nil {
		return nil, fmt.Errorf("lock the start of hrd: %w", err)
	}
	started := false
	for wait := startPoll; ; wait *= 2 {
		conn, err := Dial(ctx, dir)
		if !errors.Is(err, ErrAbsent) {
			return conn, err
		}
		if !started {
			err := start(ctx, dir, spawn)
			if err == nil {
				started = true
				continue
			}
			// A daemon that holds the lock and has no socket was started by
			// hand and binds it this moment, or is an old one that leaves.
			if !errors.Is(err, ErrRunning) {
				return nil, err
			}
		}
		if err := pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// start runs the daemon in a session of its own and returns when it is ready.
func start(ctx context.Context, dir string, spawn SpawnOptions) error {
	log, err := openLog(spawn.logPath(dir))
	if err != nil {
		return fmt.Errorf("open the log of hrd: %w", err)
	}
	defer log.Close()
	began, err := log.Seek(0, 2)
	if err != nil {
		return fmt.Errorf("open the log of hrd: %w", err)
	}

	exe, err := exec.LookPath(spawn.Exe)
	if err == nil {
		exe, err = filepath.Abs(exe) // the daemon runs in another directory
	}
	if err != nil {
		return startError("start hrd: "+err.Error(), dir, spawn)
	}
	cmd := exec.Command(exe, spawn.Args...)
	cmd.Env = without(spawn.Env, readyVar)
	if spawn.Env == nil {
		cmd.Env = without(os.Environ(), readyVar)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if spawn.Stdin != nil {
		cmd.Stdin = spawn.Stdin
	}
	detach(cmd)
	ready, err := newReadiness(cmd)
	if err != nil {
		return fmt.Errorf("start hrd: %w", err)
	}
	defer ready.close()
	if err := cmd.Start(); err != nil {
		return startError("start hrd: "+err.Error(), dir, spawn)
	}
	// The daemon outlives us as a rule. If it does not, this wait takes its
	// exit status, so that no zombie stays; nobody waits for the wait.
	go cmd.Wait()

	err = ready.wait(ctx)
	if errors.Is(err, errSilent) {
		message := "hrd ended before it was ready"
		if said := tail(log.Name(), began); said != "" {
			message += ": " + said
		}
		return startError(message, dir, spawn)
	}
	return err
}

func startError(message, dir string, spawn SpawnOptions) *Error {
	return &Error{CodeStart, message, "see " + spawn.logPath(dir) + ", or go on with --no-daemon"}
}

func (s SpawnOptions) logPath(dir string) string {
	if s.LogPath != "" {
		return s.LogPath
	}
	return LogPath(dir)
}

func openLog(path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > maxLog {
		os.Rename(path, path+".old") // if that fails the log just grows on
	}
	return os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
}

// tail returns the last line that was written to a log after offset.
func tail(path string, offset int64) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	text := make([]byte, 4<<10) // a panic's first line may be cut, its end is there
	if info, err := f.Stat(); err == nil {
		offset = max(offset, info.Size()-int64(len(text)))
	}
	n, _ := f.ReadAt(text, offset)
	lines := strings.Split(strings.TrimSpace(string(text[:n])), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// without returns env less one variable.
func without(env []string, name string) []string {
	kept := make([]string, 0, len(env)+1)
	for _, entry := range env {
		if !strings.HasPrefix(entry, name+"=") {
			kept = append(kept, entry)
		}
	}
	return kept
}
