package protocol

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

const stranger = 12345 // a user id that is not ours

// Modes do not hold everywhere, so both ends look at who the other one is.
func TestStrangers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	t.Run("client", func(t *testing.T) {
		dir := runDir(t)
		l := listen(t, dir)
		path := filepath.Join(dir, socketName)
		letIn(t, dir, 0o755)
		if err := os.Chmod(path, 0o777); err != nil {
			t.Fatal(err)
		}
		asStranger(t, func() {
			conn, err := net.Dial("unix", path)
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() {
				// Nothing but the end: the daemon hung up.
				if n, _ := conn.Read(make([]byte, 1)); n != 0 {
					t.Error("the daemon talked to a stranger")
				}
				conn.Close()
			})
		})
		os.Chmod(dir, 0o700)
		// The stranger waits first in line, but this is who gets through.
		conn, err := Dial(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.Write([]byte("friend"))
		server, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		said := make([]byte, 6)
		if _, err := io.ReadFull(server, said); err != nil || string(said) != "friend" {
			t.Errorf("accepted %q, %v", said, err)
		}
	})
	t.Run("daemon", func(t *testing.T) {
		dir := runDir(t)
		path := filepath.Join(dir, socketName)
		letIn(t, dir, 0o777)
		asStranger(t, func() {
			l, err := net.Listen("unix", path)
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { l.Close() })
		})
		letIn(t, dir, 0o755) // those above are looked at, too
		os.Chmod(dir, 0o700)
		if _, err := Dial(t.Context(), dir); codeOf(err) != CodeUnsafe {
			t.Errorf("Dial to a stranger's daemon: %v", err)
		}
		os.Remove(path)
	})
}

// letIn opens the run directory and the test's own above it to everybody.
func letIn(t *testing.T, dir string, mode os.FileMode) {
	t.Helper()
	for _, path := range []string{dir, filepath.Dir(dir), filepath.Dir(filepath.Dir(dir))} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
}

// asStranger runs f on a thread that belongs to another user and ends with it.
func asStranger(t *testing.T, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread is not used again
		_, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, stranger, stranger, stranger)
		if errno != 0 {
			t.Error(errno)
			return
		}
		f()
	}()
	<-done
}
