package supervisor

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

// Socket activation (sd_listen_fds(3)): a program that speaks it is given its
// listening sockets from descriptor 3 on. They are ours and stay open between
// generations, on every Unix and without any trap.

// firstActivated is SD_LISTEN_FDS_START.
const firstActivated = 3

// activationScript sets LISTEN_PID, which must be the program's own pid and is
// not known before the fork. exec keeps the pid.
const activationScript = `LISTEN_PID=$$ exec "$0" "$@"`

// activated are the sockets of Options.Sockets.
type activated struct {
	names []string
	files []*os.File
	paths []string // of Unix sockets, removed by close
}

// openSockets listens on every address, once for the supervisor's life.
func openSockets(addresses []string) (*activated, error) {
	a := &activated{}
	for _, address := range addresses {
		f, err := listenFile(address)
		if err != nil {
			a.close()
			return nil, fmt.Errorf("listen on %s: %w", address, err)
		}
		a.files = append(a.files, f)
		if path, ok := strings.CutPrefix(address, "unix:"); ok {
			a.paths = append(a.paths, path)
		}
		a.names = append(a.names, strings.ReplaceAll(address, ":", "-"))
	}
	return a, nil
}

// listenFile opens host:port, :port or unix:path.
func listenFile(address string) (*os.File, error) {
	network := "tcp"
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, address = "unix", path
	}
	l, err := net.Listen(network, address)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	switch l := l.(type) {
	case *net.TCPListener:
		return l.File()
	case *net.UnixListener:
		l.SetUnlinkOnClose(false)
		return l.File()
	}
	return nil, errors.ErrUnsupported
}

// equip changes how a program is started so that it finds the sockets.
func (a *activated) equip(path string, args, env []string, files []*os.File) (string, []string, []string, []*os.File) {
	if a == nil || len(a.files) == 0 {
		return path, args, env, files
	}
	env = append(env, "LISTEN_FDS="+strconv.Itoa(len(a.files)), "LISTEN_FDNAMES="+strings.Join(a.names, ":"))
	args = append([]string{"sh", "-c", activationScript, path}, args[1:]...)
	return "/bin/sh", args, env, append(files, a.files...)
}

// all returns the sockets.
func (a *activated) all() []*os.File {
	if a == nil {
		return nil
	}
	return a.files
}

func (a *activated) close() {
	if a == nil {
		return
	}
	for _, f := range a.files {
		f.Close()
	}
	for _, p := range a.paths {
		os.Remove(p)
	}
}
