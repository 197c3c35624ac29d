package triggers

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

const (
	// pipeTime is for a tool that asks its server for a password and writes it.
	pipeTime = 5 * time.Second
	// pipeMost is far above any environment (execve takes 2 MB in all), and ends
	// what never ends.
	pipeMost = 1 << 20
	// pipeAgain is how soon a pipe that nobody has opened is looked at again.
	pipeAgain = 20 * time.Millisecond
)

// readPipe reads what is no file: until its writer closes it, and not for ever.
// Nobody need have opened the other end yet.
func readPipe(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	deadline := time.Now().Add(pipeTime)
	f.SetReadDeadline(deadline) // where it cannot be set, it is no pipe that waits
	tick := time.NewTicker(pipeAgain)
	defer tick.Stop()
	for {
		text, err := io.ReadAll(io.LimitReader(f, pipeMost+1))
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded), len(text) == 0 && err == nil && time.Now().After(deadline):
			return nil, fmt.Errorf("%s is a pipe, and nobody wrote it to its end in %v", path, pipeTime)
		case len(text) > pipeMost:
			return nil, fmt.Errorf("%s gives more than %d bytes", path, pipeMost)
		case err != nil:
			return nil, fmt.Errorf("read %s: %w", path, errors.Unwrap(err))
		case len(text) > 0 || !isPipe(f):
			return text, nil
		}
		<-tick.C
	}
}

func isPipe(f *os.File) bool {
	fi, err := f.Stat()
	return err == nil && fi.Mode()&os.ModeNamedPipe != 0
}
