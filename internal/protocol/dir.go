package protocol

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/hotreflex/hr/internal/place"
)

// Names inside the run directory.
const (
	socketName = "hrd.sock"   // one name for all versions, so that they find each other
	lockName   = "hrd.lock"   // held by the daemon for life, never deleted
	startName  = "start.lock" // held by a client while it starts the daemon
	logName    = "hrd.log"
)

// maxSocketPath is the longest path that fits in a sockaddr_un everywhere: 104
// bytes with the final NUL on macOS and the BSDs (sys/un.h), 108 on Linux
// (unix(7)). One limit for all keeps the paths the same everywhere.
const maxSocketPath = 103

// RunDir returns the directory that holds the daemon's socket, locks and log,
// and makes it when absent. It is $HR_RUNTIME_DIR, and nothing else when that is
// set; else the first that can be made of $XDG_RUNTIME_DIR/hr, hr/run/HOST in
// the user's cache directory, and hr-UID in /tmp. A directory that others could
// write to is refused with an *Error of CodeUnsafe.
func RunDir() (string, error) {
	var reasons []error
	for _, dir := range runDirs() {
		err := PrivateDir(dir)
		if err == nil {
			return dir, nil
		}
		var e *Error
		if errors.As(err, &e) {
			return "", err // going elsewhere would hide what somebody tries
		}
		reasons = append(reasons, err)
	}
	return "", &Error{CodeInternal, errors.Join(reasons...).Error(),
		"set HR_RUNTIME_DIR to a directory that you can write"}
}

// LogPath returns where the daemon of a run directory writes its log.
func LogPath(dir string) string { return filepath.Join(dir, logName) }

// SocketPath returns where the daemon of a run directory listens: in it, or,
// when that path is too long for a socket, in a private directory of a short
// name, made when absent.
func SocketPath(dir string) (string, error) {
	path := filepath.Join(dir, socketName)
	if len(temporary(path)) <= maxSocketPath {
		return path, nil
	}
	hash := sha256.Sum256([]byte(dir))
	short := filepath.Join(shortRoot(), fmt.Sprintf("hr-%s-%x", userID(), hash[:6]))
	path = filepath.Join(short, socketName)
	if len(temporary(path)) > maxSocketPath {
		return "", &Error{CodeUnsafe, "the path of the run directory is too long for a socket: " + dir,
			"set HR_RUNTIME_DIR to a shorter path"}
	}
	if err := PrivateDir(short); err != nil {
		return "", err
	}
	return path, nil
}

// temporary is the name under which a socket is bound before it takes its own.
func temporary(socket string) string { return socket + ".new" }

// shortRoot is /tmp and not $TMPDIR: editors and shells set that differently
// and would miss each other's daemon (golang/go#41266), and on macOS it is long.
func shortRoot() string {
	if runtime.GOOS == "windows" {
		return os.TempDir()
	}
	return "/tmp"
}

// runDirs returns what may be the run directory, the best first. All processes
// of a user must come to the same answer.
func runDirs() []string {
	if dir := os.Getenv("HR_RUNTIME_DIR"); dir != "" {
		if abs, err := filepath.Abs(dir); err == nil {
			dir = abs
		}
		return []string{dir}
	}
	var dirs []string
	// Under sudo or su the variable may still name another user's directory;
	// a root-owned hr in there would lock its owner out.
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		if info, err := os.Stat(dir); err == nil && info.IsDir() && ownedByUser(info) {
			dirs = append(dirs, filepath.Join(dir, "hr"))
		}
	}
	if cache, err := os.UserCacheDir(); err == nil {
		// A home may be shared over the network, a socket cannot.
		host, err := os.Hostname()
		if err != nil || host == "" || host != filepath.Base(host) {
			host = "localhost"
		}
		dirs = append(dirs, filepath.Join(cache, "hr", "run", host))
	}
	return append(dirs, filepath.Join(shortRoot(), "hr-"+userID())) // no home, or a read-only one
}

// PrivateDir makes dir unless it exists, and checks that it is a real directory
// of this user that nobody else can enter or put another in the place of.
func PrivateDir(dir string) error {
	d, err := place.Open(dir)
	var bad *place.Error
	if errors.As(err, &bad) && bad.Path != dir {
		return unsafeAbove(dir, bad)
	}
	if err != nil && bad == nil {
		return fmt.Errorf("make run directory: %w", err)
	}
	if err == nil {
		d.Close()
	}
	return checkPrivate(dir) // it knows what is to be done about each
}

func unsafeAbove(dir string, e *place.Error) error {
	return &Error{CodeUnsafe, fmt.Sprintf("unsafe run directory %s: %s: %s", dir, e.Path, e.Why), e.Hint}
}

func checkPrivate(dir string) error {
	var bad *place.Error
	if err := place.Check(filepath.Dir(dir)); errors.As(err, &bad) {
		return unsafeAbove(dir, bad)
	} else if err != nil {
		return fmt.Errorf("check run directory: %w", err)
	}
	info, err := os.Lstat(dir) // not Stat: a link may be turned elsewhere later
	if err != nil {
		return fmt.Errorf("check run directory: %w", err)
	}
	unsafe := func(why, hint string) error {
		return &Error{CodeUnsafe, "unsafe run directory " + dir + ": " + why, hint}
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return unsafe("it is a symbolic link", "remove the link, or set HR_RUNTIME_DIR to the real directory")
	case !info.IsDir():
		return unsafe("it is not a directory", "remove it, or set HR_RUNTIME_DIR to another path")
	case !ownedByUser(info):
		return unsafe("it belongs to another user", "set HR_RUNTIME_DIR to a directory of your own")
	case !ownerOnly(info):
		return unsafe(fmt.Sprintf("its mode is %04o", info.Mode().Perm()), "chmod 700 "+dir)
	}
	return nil
}
