package watch

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A file system that is mounted over a watched directory takes its place without
// an event: the kernel goes on watching the one below. It tells of mounts in
// another way (proc_pid_mountinfo(5): the file polls as an error).

const mountinfoPath = "/proc/self/mountinfo"

// mountTable tells when the mounts of this process change. It waits in an epoll
// set, which the runtime can wait for without a thread.
type mountTable struct {
	info *os.File // registered in the set
	set  *os.File
	conn syscall.RawConn
}

// openMounts returns nil where the kernel does not tell of mounts.
func openMounts() *mountTable {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil
	}
	info, err := os.Open(mountinfoPath)
	if err == nil {
		err = unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, int(info.Fd()), &unix.EpollEvent{Events: unix.EPOLLPRI | unix.EPOLLERR})
	}
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	m := &mountTable{info: info, set: os.NewFile(uintptr(fd), "mounts")}
	if err == nil {
		m.conn, err = m.set.SyscallConn()
	}
	if err != nil || m.set.SetReadDeadline(time.Time{}) != nil { // the runtime cannot wait for it
		m.close()
		return nil
	}
	return m
}

// wait returns true when something may have been mounted or unmounted, false
// after close. The set itself is never asked: each look at the file takes the news
// from the next one, and the runtime had the first.
func (m *mountTable) wait() bool {
	waited := false
	err := m.conn.Read(func(uintptr) bool {
		was := waited
		waited = true
		return was
	})
	return err == nil
}

func (m *mountTable) close() {
	m.set.Close()
	if m.info != nil {
		m.info.Close()
	}
}

// followMounts places all watches anew when a mount comes or goes on the way to
// what is watched, or below.
func (s *inotify) followMounts() {
	before := readMounts()
	for s.mountinfo.wait() {
		now := readMounts()
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			return
		}
		var evs []event
		if !maps.Equal(s.near(before), s.near(now)) {
			for _, r := range s.roots {
				if r.tree && s.opts.Source == "" {
					maps.Copy(s.remote, s.mounts(r.path))
				}
			}
			s.again(time.Now(), &evs)
		}
		before = now
		s.mu.Unlock()
		s.inbox.put(evs...)
	}
}

// near returns the mounts at, above or below a root.
func (s *inotify) near(all map[string]string) map[string]string {
	var roots []string
	for path := range s.roots {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real
		}
		roots = append(roots, path)
	}
	out := map[string]string{}
	for point, what := range all {
		for _, path := range roots {
			if point == path || strings.HasPrefix(path, strings.TrimSuffix(point, "/")+"/") || strings.HasPrefix(point, path+"/") {
				out[point] = what
			}
		}
	}
	return out
}

// readMounts returns what is mounted where: of several at one place all count.
func readMounts() map[string]string {
	data, err := os.ReadFile(mountinfoPath)
	if err != nil {
		return nil
	}
	out := map[string]string{}
	for line := range strings.Lines(string(data)) {
		// Number, parent, device and root name the mount; the fifth is the place.
		if fields := strings.Fields(line); len(fields) > 4 {
			out[mountEscapes.Replace(fields[4])] += strings.Join(fields[:4], " ") + "\n"
		}
	}
	return out
}
