package protocol

import (
	"context"
	"errors"
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// Windows hands no extra file to a child: the starter goes on at once and polls
// the socket until the daemon answers there.

const readyVar = "HR_READY_FD"

var errSilent = errors.New("no answer")

type readiness struct{}

func newReadiness(*exec.Cmd) (*readiness, error) { return &readiness{}, nil }

func (*readiness) close() {}

func (*readiness) wait(context.Context) error { return nil }

// Ready does nothing on Windows, where the socket itself tells the starter.
func Ready(error) {}

// detach takes the daemon off the console.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{
		CreationFlags: windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP,
	}
}
