//go:build unix

package protocol

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/hotreflex/hr/internal/exact"
)

// readyVar names the file descriptor on which a starting daemon answers.
const readyVar = "HR_READY_FD"

// errSilent says that the daemon ended without an answer.
var errSilent = errors.New("no answer")

// readiness is the starter's end of the pipe from a starting daemon. The answer
// is one JSON value, null or an *Error, and the end of the pipe.
type readiness struct {
	read, write *os.File
}

// newReadiness gives cmd the other end of the pipe as its file descriptor 3.
func newReadiness(cmd *exec.Cmd) (*readiness, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.ExtraFiles = []*os.File{write}
	cmd.Env = append(cmd.Env, readyVar+"=3")
	return &readiness{read, write}, nil
}

func (r *readiness) close() {
	r.read.Close()
	r.write.Close()
}

// wait returns the answer of the started daemon.
func (r *readiness) wait(ctx context.Context) error {
	r.write.Close() // the daemon holds the last copy, its end ends the pipe
	stop := context.AfterFunc(ctx, func() { r.read.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	text, err := io.ReadAll(atMost(r.read, maxSmall))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil || len(text) == 0 {
		return errSilent
	}
	var answer *Error
	if err := exact.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("start hrd: read its answer: %w", err)
	}
	if answer == nil {
		return nil
	}
	return answer
}

// Ready tells the process that started this daemon that it may connect, or why
// it cannot. Call it once, before any other process is started. Without a
// starter it does nothing.
func Ready(err error) {
	fd, convErr := strconv.Atoi(os.Getenv(readyVar))
	os.Unsetenv(readyVar)
	if convErr != nil || fd < 3 {
		return
	}
	// A variable that some other ancestor left behind names no pipe of ours.
	var stat syscall.Stat_t
	if syscall.Fstat(fd, &stat) != nil || stat.Mode&syscall.S_IFMT != syscall.S_IFIFO {
		return
	}
	pipe := os.NewFile(uintptr(fd), readyVar)
	defer pipe.Close()
	answer, _ := exact.Marshal(AsError(err)) // strings alone always marshal
	pipe.Write(answer)                       // a starter that left does not need it
}

// detach gives the daemon a session of its own, out of reach of the terminal's
// signals, and a directory that pins no file system.
func detach(cmd *exec.Cmd) {
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
}
