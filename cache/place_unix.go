//go:build unix

package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// tryExec returns why the file probe cannot be run, or nil. It really runs
// one: a mount option is not all that can forbid it. access(2) comes first
// since it knows of noexec even where there is no shell for the script.
func tryExec(probe string) error {
	if err := os.WriteFile(probe, []byte("#!/bin/sh\nexit 0\n"), 0o700); err != nil {
		return err
	}
	if err := os.Chmod(probe, 0o700); err != nil {
		return err
	}
	if err := unix.Access(probe, unix.X_OK); err != nil {
		return fmt.Errorf("programs cannot run there: %w", err)
	}
	// Another thread may be starting a process just now and hold the probe
	// open for writing until its exec: ETXTBSY, golang/go#22315.
	for wait := time.Millisecond; ; wait *= 2 {
		err := exec.Command(probe).Run()
		switch {
		case err == nil || errors.Is(err, fs.ErrNotExist): // no /bin/sh
			return nil
		case !errors.Is(err, syscall.ETXTBSY) || wait > 64*time.Millisecond:
			return fmt.Errorf("programs cannot run there: %w", err)
		}
		time.Sleep(wait)
	}
}
