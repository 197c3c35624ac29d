package protocol

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"syscall"
	"time"
)

// dialRetry is the pause before the next try when the daemon's queue of
// connections is full, which connect(2) reports as EAGAIN on local sockets. A
// daemon accepts thousands of times in this span.
const dialRetry = 5 * time.Millisecond

// Dial connects to the daemon of dir. It returns an error matching ErrAbsent
// when none is listening, and refuses a daemon of another user.
func Dial(ctx context.Context, dir string) (net.Conn, error) {
	if err := checkPrivate(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, ErrAbsent
	} else if err != nil {
		return nil, err
	}
	path, err := SocketPath(dir)
	if err != nil {
		return nil, err
	}
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
		switch {
		case err == nil:
			if err := CheckPeer(conn); err != nil {
				conn.Close()
				return nil, err
			}
			return conn, nil
		case absent(err):
			return nil, ErrAbsent
		case !errors.Is(err, syscall.EAGAIN):
			return nil, fmt.Errorf("connect to hrd: %w", err)
		}
		if err := pause(ctx, dialRetry); err != nil {
			return nil, fmt.Errorf("connect to hrd: %w", err)
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
