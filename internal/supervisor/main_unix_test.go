//go:build unix

package supervisor

import "syscall"

func sessionOfItsOwn(yes bool) *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: yes} }

// alive says whether a process exists that is not a zombie of a stranger.
func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }
