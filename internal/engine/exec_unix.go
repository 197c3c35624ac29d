//go:build !windows

package engine

import (
	"os/exec"
	"syscall"
)

// replaceProcess turns this process into the command; it returns only if that
// did not work, or nil where it cannot be done at all.
func replaceProcess(cmd *exec.Cmd) error {
	if cmd.Err != nil {
		return cmd.Err
	}
	return syscall.Exec(cmd.Path, cmd.Args, cmd.Env)
}

// killGroup puts the command into a group of its own and has a cancelled
// context kill all of it: a go command's tools must not outlive it.
func killGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
