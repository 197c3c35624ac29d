package supervisor

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Seccomp user notification (seccomp_unotify(2)): a filter on the thread that
// forks the program makes bind and listen of the whole process tree stop until
// they are answered through a descriptor. Filters are per thread, so nothing
// else in this process is affected.

const (
	filterNewListener  = 1 << 3 // SECCOMP_FILTER_FLAG_NEW_LISTENER
	filterSpecAllow    = 1 << 2 // SECCOMP_FILTER_FLAG_SPEC_ALLOW: no speculation penalty
	filterWaitKillable = 1 << 5 // SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, Linux 5.19

	seccompSetModeFilter   = 1
	seccompGetActionAvail  = 2
	seccompGetNotifSizes   = 3
	seccompRetAllow        = 0x7fff0000
	seccompRetUserNotif    = 0x7fc00000
	notifyContinue         = 1 // SECCOMP_USER_NOTIF_FLAG_CONTINUE
	addFDSet               = 1 // SECCOMP_ADDFD_FLAG_SETFD
	notifySyncWakeUp       = 1 // SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP, Linux 6.6
	ioctlNotifyReceive     = 0xc0502100
	ioctlNotifySend        = 0xc0182101
	ioctlNotifyValid       = 0x40082102
	ioctlNotifyAddFD       = 0x40182103
	ioctlNotifySetFlags    = 0x40082104
	sizeofSockaddrNetlink  = 12
	offsetNr, offsetArch   = 0, 4
	offsetFirstArgumentLow = 16 // little endian
	offsetThirdArgumentLow = 32
)

// notification is struct seccomp_notif.
type notification struct {
	ID       uint64
	TID      uint32
	Flags    uint32
	Nr       int32
	Arch     uint32
	IP       uint64
	Argument [6]uint64
}

// response is struct seccomp_notif_resp.
type response struct {
	ID    uint64
	Value int64
	Error int32
	Flags uint32
}

// addFD is struct seccomp_notif_addfd.
type addFD struct {
	ID                           uint64
	Flags, Source, Target, NewFl uint32
}

// auditArch is the architecture the filter accepts, 0 where hand-over is not
// supported.
func auditArch() uint32 {
	switch runtime.GOARCH {
	case "amd64":
		return unix.AUDIT_ARCH_X86_64
	case "arm64":
		return unix.AUDIT_ARCH_AARCH64
	}
	return 0
}

// filter traps bind and listen. Other architectures (a 32-bit program) pass,
// and so does a bind of 12 bytes: a netlink socket, which every name lookup of
// glibc makes. With starts it also traps a brk that asks where the heap is:
// every program of glibc and musl does so once or twice when it begins, and it
// bears a refusal should we be gone. exec itself cannot be trapped: it is ours,
// too, in the middle of a fork, when nobody of this process can answer.
func filter(starts bool) []unix.SockFilter {
	load := func(offset uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
	}
	equal := func(k uint32, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: k, Jt: yes, Jf: no}
	}
	answer := func(k uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k} }
	heap := ^uint32(0) // no call
	if starts {
		heap = unix.SYS_BRK
	}
	return []unix.SockFilter{
		load(offsetArch),
		equal(auditArch(), 0, 8), // else allow
		load(offsetNr),
		equal(unix.SYS_BIND, 2, 0),
		equal(unix.SYS_LISTEN, 6, 0), // trap
		equal(heap, 2, 4),            // else allow
		load(offsetThirdArgumentLow),
		equal(sizeofSockaddrNetlink, 2, 3), // allow, else trap
		load(offsetFirstArgumentLow),
		equal(0, 1, 0), // trap, else allow
		answer(seccompRetAllow),
		answer(seccompRetUserNotif),
	}
}

func seccomp(operation, flags uintptr, arg unsafe.Pointer) (int, error) {
	r, _, errno := unix.Syscall(unix.SYS_SECCOMP, operation, flags, uintptr(arg))
	if errno != 0 {
		return -1, errno
	}
	return int(r), nil
}

// probeSeccomp says why the filter cannot be used, without installing one.
func probeSeccomp() error {
	if auditArch() == 0 {
		return fmt.Errorf("not supported on %s", runtime.GOARCH)
	}
	action := uint32(seccompRetUserNotif)
	if _, err := seccomp(seccompGetActionAvail, 0, unsafe.Pointer(&action)); err != nil {
		return fmt.Errorf("seccomp user notification: %w", err)
	}
	var sizes struct{ notification, response, data uint16 }
	if _, err := seccomp(seccompGetNotifSizes, 0, unsafe.Pointer(&sizes)); err != nil {
		return fmt.Errorf("seccomp user notification: %w", err)
	}
	if int(sizes.notification) > int(unsafe.Sizeof(notification{})) || int(sizes.response) > int(unsafe.Sizeof(response{})) {
		return errors.New("seccomp user notification: unknown layout")
	}
	// A filter at address nil: EFAULT when all flags are known.
	if _, err := seccomp(seccompSetModeFilter, filterNewListener, nil); !errors.Is(err, unix.EFAULT) {
		return fmt.Errorf("seccomp listener: %w", err)
	}
	return nil
}

// installFilter puts the filter on the calling thread, for good, and returns
// the notification descriptor. With starts the beginnings of programs are told,
// if the filter takes rights from them.
func installFilter(starts bool) (int, error) {
	install := func(starts bool) (fd int, err error) {
		program := filter(starts)
		prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
		defer runtime.KeepAlive(program)
		// Older kernels refuse the newer flags.
		for _, flags := range []uintptr{filterNewListener | filterSpecAllow | filterWaitKillable, filterNewListener | filterSpecAllow, filterNewListener} {
			if fd, err = seccomp(seccompSetModeFilter, flags, unsafe.Pointer(&prog)); !errors.Is(err, unix.EINVAL) {
				return fd, err
			}
		}
		return fd, err
	}
	fd, err := install(false)
	if errors.Is(err, unix.EACCES) {
		// Without privilege the program must promise not to gain any (setuid,
		// file capabilities). Root keeps them.
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return -1, fmt.Errorf("no_new_privs: %w", err)
		}
		fd, err = install(starts)
	}
	if err != nil {
		return -1, fmt.Errorf("seccomp: %w", err)
	}
	// Answers wake the program on this CPU; a third less latency where known.
	unix.IoctlSetInt(fd, ioctlNotifySetFlags, notifySyncWakeUp)
	return fd, nil
}

func notifyIoctl(fd int, request uintptr, arg unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(arg)); errno != 0 {
		return errno
	}
	return nil
}

func receiveNotification(fd int) (notification, error) {
	var n notification // all zero, or the kernel says EINVAL
	err := notifyIoctl(fd, ioctlNotifyReceive, unsafe.Pointer(&n))
	return n, err
}

// valid says whether the thread still waits for the answer, so that what was
// read from /proc before belongs to it.
func (n *notification) valid(fd int) bool {
	return notifyIoctl(fd, ioctlNotifyValid, unsafe.Pointer(&n.ID)) == nil
}

// passOn lets the kernel execute the call. An error means that the thread is
// gone or was interrupted, and there is nobody to answer.
func (n *notification) passOn(fd int) {
	notifyIoctl(fd, ioctlNotifySend, unsafe.Pointer(&response{ID: n.ID, Flags: notifyContinue}))
}

// answer makes the call return 0 or fail with errno.
func (n *notification) answer(fd int, errno unix.Errno) {
	notifyIoctl(fd, ioctlNotifySend, unsafe.Pointer(&response{ID: n.ID, Error: -int32(errno)}))
}

// replace puts our descriptor in place of the program's.
func (n *notification) replace(fd, source, target int, cloexec bool) error {
	a := addFD{ID: n.ID, Flags: addFDSet, Source: uint32(source), Target: uint32(target)}
	if cloexec {
		a.NewFl = unix.O_CLOEXEC
	}
	return notifyIoctl(fd, ioctlNotifyAddFD, unsafe.Pointer(&a))
}
