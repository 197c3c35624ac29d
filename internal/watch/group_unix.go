//go:build unix

package watch

import (
	"os/exec"
	"syscall"
)

// ownGroup keeps the terminal's Ctrl-C from cmd: whoever started it ends it.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
