//go:build unix

package main

import "syscall"

// ownGroup keeps the terminal's Ctrl-C from the process: the driver ends it.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func interruptGroup(pid int) { syscall.Kill(-pid, syscall.SIGINT) }
func killGroup(pid int)      { syscall.Kill(-pid, syscall.SIGKILL) }
func killProcess(pid int)    { syscall.Kill(pid, syscall.SIGKILL) }
