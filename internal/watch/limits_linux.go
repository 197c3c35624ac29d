package watch

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// advise tells once that watches ran out and how to get more.
func (s *inotify) advise() {
	if s.advised {
		return
	}
	s.advised = true
	limit := sysctl("max_user_watches")
	s.opts.Log("no file watch left (%d in use here, limit %d per user): polling the rest every %v; raise it with: sysctl fs.inotify.max_user_watches=%d",
		len(s.dirs), limit, pollInterval, max(2*limit, 524288))
}

// sysctl reads a limit of inotify(7), 0 when it cannot.
func sysctl(name string) int {
	data, err := os.ReadFile("/proc/sys/fs/inotify/" + name)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return 0
	}
	return n
}

// remoteFS names the kind of file system that changes without this kernel's
// knowledge, "" for a local one. Numbers are from statfs(2).
func remoteFS(dir string) string {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return ""
	}
	switch uint32(st.Type) {
	case unix.NFS_SUPER_MAGIC:
		return "NFS"
	case unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC:
		return "SMB"
	case unix.V9FS_MAGIC:
		return "9p (WSL drive or virtual machine share)"
	case unix.FUSE_SUPER_MAGIC: // sshfs, virtiofs, Docker Desktop
		return "FUSE"
	case unix.CEPH_SUPER_MAGIC:
		return "Ceph"
	case unix.AFS_SUPER_MAGIC, unix.AFS_FS_MAGIC:
		return "AFS"
	case 0x786f4256: // vboxsf (fs/vboxsf/super.c), not in statfs(2)
		return "a VirtualBox share"
	}
	return ""
}

// remoteKinds are the type names, in mountinfo, of what remoteFS tells by
// number: a look at a mounted server that is gone would not return.
var remoteKinds = map[string]string{
	"nfs": "NFS", "nfs4": "NFS", "cifs": "SMB", "smb3": "SMB", "9p": "9p (WSL drive or virtual machine share)",
	"drvfs": "a WSL drive", "fuse": "FUSE", "virtiofs": "virtiofs", "ceph": "Ceph", "afs": "AFS",
	"vboxsf": "a VirtualBox share", "prl_fs": "a Parallels share", "fakeowner": "a Docker Desktop share",
}

// remoteMounts returns the mounts below dir that changes of other machines
// reach without an event, with their kinds.
func remoteMounts(dir string) map[string]string {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	return parseMounts(string(data), dir)
}

// parseMounts reads the lines of proc_pid_mountinfo(5): the mount point is the
// fifth field, the type follows a lone dash.
func parseMounts(text, dir string) map[string]string {
	found := map[string]string{}
	for line := range strings.Lines(text) {
		front, back, ok := strings.Cut(line, " - ")
		fields, after := strings.Fields(front), strings.Fields(back)
		if !ok || len(fields) < 5 || len(after) == 0 {
			continue
		}
		point := mountEscapes.Replace(fields[4])
		if !strings.HasPrefix(point, strings.TrimSuffix(dir, "/")+"/") || point == dir {
			continue
		}
		name, _, _ := strings.Cut(after[0], ".") // fuse.sshfs
		if kind := remoteKinds[name]; kind != "" {
			found[point] = kind
		}
	}
	return found
}

var mountEscapes = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// probe asks whether this kernel reports events for dir at all (some
// sandboxes do not) by opening it under a watch; it writes nothing.
func probe(dir string) bool {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return true // not the file system's fault; the source has its own answer
	}
	defer unix.Close(fd)
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_OPEN|unix.IN_ONLYDIR); err != nil {
		return true
	}
	f, err := os.Open(dir)
	if err != nil {
		return true
	}
	f.Close()
	var buf [4096]byte
	n, _ := unix.Read(fd, buf[:]) // the kernel queues the event before open returns
	return n > 0
}
