//go:build unix

package link

import (
	"os/exec"
	"syscall"
)

// killGroup makes cancellation reach the children of the tool (gcc, collect2).
func killGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
