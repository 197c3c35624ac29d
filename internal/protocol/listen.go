package protocol

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/gofrs/flock"
)

// Listener is the daemon's ear. Who holds one is the daemon of its run
// directory: the lock decides, not the socket.
type Listener struct {
	inner net.Listener
	path  string
	bound fs.FileInfo // of the socket that we made
	lock  *flock.Flock
	once  sync.Once
	err   error // of the first Close; written under once
}

// Listen makes this process the daemon of dir until Close. It returns
// ErrRunning when another process is.
func Listen(dir string) (*Listener, error) {
	if err := checkPrivate(dir); err != nil {
		return nil, err
	}
	path, err := SocketPath(dir)
	if err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(dir, lockName), flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock run directory: %w", err)
	}
	if !locked {
		lock.Close()
		return nil, ErrRunning
	}
	l, err := bind(path)
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("listen: %w", err)
	}
	l.lock = lock
	return l, nil
}

// bind listens under a temporary name and then takes the real one, so that a
// client meets the socket of a dead daemon or one that is ready, and nothing
// in between. The caller holds the lock: no other process binds or unlinks.
func bind(path string) (*Listener, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSocket == 0 {
		return nil, &Error{CodeUnsafe, path + " is not a socket", "remove it and try again"}
	}
	temp := temporary(path)
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	inner, err := net.ListenUnix("unix", &net.UnixAddr{Name: temp, Net: "unix"})
	if err != nil {
		return nil, err
	}
	inner.SetUnlinkOnClose(false)
	if runtime.GOOS == "windows" {
		os.Remove(path) // a socket is a reparse point there, not replaced by rename
	}
	err = os.Rename(temp, path)
	if err != nil {
		os.Remove(temp)
		inner.Close()
		return nil, err
	}
	l := &Listener{inner: inner, path: path}
	if l.bound, err = os.Lstat(path); err != nil {
		inner.Close()
		return nil, err
	}
	return l, nil
}

// Accept waits for the next connection of this very user. Connections of other
// users are closed and not reported.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.inner.Accept()
		if err != nil {
			return nil, err
		}
		if err := CheckPeer(conn); err == nil {
			return conn, nil
		}
		conn.Close()
	}
}

// Addr returns the address of the socket.
func (l *Listener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unix"} }

// Vanished reports that no client can reach this daemon any more: its socket
// was removed or replaced, or the directory is gone. Such a daemon should drain
// and leave. The inode cannot be used again while we are bound to it.
func (l *Listener) Vanished() bool {
	now, err := os.Lstat(l.path)
	return err != nil || !os.SameFile(now, l.bound)
}

// Close stops listening, removes the socket if it is still ours and then lets
// the next daemon in. Connections already accepted live on.
func (l *Listener) Close() error {
	l.once.Do(func() {
		if !l.Vanished() {
			os.Remove(l.path)
		}
		l.err = errors.Join(l.inner.Close(), l.lock.Close())
	})
	return l.err
}
