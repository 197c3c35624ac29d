//go:build !unix

package link

import "os/exec"

// killGroup leaves the default: only the tool itself is killed.
func killGroup(*exec.Cmd) {}
