package supervisor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// trappedCall is a notification with what /proc and a duplicate of the socket
// tell about it. close must be called.
type trappedCall struct {
	note   notification
	place  place
	inode  uint64
	socket int // duplicate of the program's socket, -1 when it could not be taken
}

func (c *trappedCall) close() {
	if c.socket >= 0 {
		unix.Close(c.socket)
	}
}

// errNotOurs: the call is none that could be held; the kernel does it.
var errNotOurs = errors.New("not a call to hold")

// examine finds the process and its socket. canTake is cleared when the
// system forbids to duplicate descriptors of other processes.
func examine(listener int, note notification, generation int, canTake bool) (c *trappedCall, forbidden bool, err error) {
	c = &trappedCall{note: note, socket: -1}
	pid, err := processOf(int(note.TID))
	if err != nil || pid == os.Getpid() {
		return c, false, errNotOurs
	}
	c.place = place{generation: generation, pid: pid, fd: int(int32(note.Argument[0]))}
	if c.inode, err = socketInode(pid, c.place.fd); err != nil {
		return c, false, errNotOurs
	}
	if !sameNetwork(pid) {
		return c, false, errNotOurs
	}
	if !note.valid(listener) {
		return c, false, errNotOurs
	}
	if !canTake {
		return c, false, nil
	}
	c.socket, err = takeDescriptor(pid, c.place.fd)
	if err != nil {
		c.socket = -1
		return c, errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EACCES), nil
	}
	var st unix.Stat_t
	if err := unix.Fstat(c.socket, &st); err != nil || st.Ino != c.inode {
		return c, false, errNotOurs // another thread changed the descriptor: its own risk
	}
	return c, false, nil
}

// processOf returns the process of a thread; Go binds from any thread.
func processOf(tid int) (int, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", tid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if v, ok := strings.CutPrefix(line, "Tgid:"); ok {
			return strconv.Atoi(strings.TrimSpace(v))
		}
	}
	return 0, errNotOurs
}

// socketInode names the socket behind a descriptor of another process.
func socketInode(pid, fd int) (uint64, error) {
	target, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, fd))
	if err != nil {
		return 0, err
	}
	s, ok := strings.CutPrefix(target, "socket:[")
	if !ok {
		return 0, errNotOurs
	}
	return strconv.ParseUint(strings.TrimSuffix(s, "]"), 10, 64)
}

func sameNetwork(pid int) bool {
	theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return false
	}
	ours, err := os.Readlink("/proc/self/ns/net")
	return err == nil && ours == theirs
}

func takeDescriptor(pid, fd int) (int, error) {
	handle, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(handle)
	return unix.PidfdGetfd(handle, fd, 0)
}

// bindAddress reads the address argument of a bind from the program's memory.
func (c *trappedCall) bindAddress() (address, error) {
	raw := make([]byte, min(int(uint32(c.note.Argument[2])), unix.SizeofSockaddrAny))
	if len(raw) < unix.SizeofSockaddrInet4 {
		return address{}, errNotOurs
	}
	if err := readMemory(int(c.note.TID), uintptr(c.note.Argument[1]), raw); err != nil {
		return address{}, errNotOurs
	}
	a := address{family: int(binary.NativeEndian.Uint16(raw)), port: binary.BigEndian.Uint16(raw[2:])}
	switch {
	case a.port == 0:
		return a, errNotOurs
	case a.family == unix.AF_INET:
		a.ip = netip.AddrFrom4([4]byte(raw[4:8]))
	case a.family == unix.AF_INET6 && len(raw) >= unix.SizeofSockaddrInet6:
		a.ip = netip.AddrFrom16([16]byte(raw[8:24]))
		a.scope = binary.NativeEndian.Uint32(raw[24:])
	default:
		return a, errNotOurs
	}
	return a, nil
}

func readMemory(tid int, at uintptr, into []byte) error {
	local := []unix.Iovec{{Base: &into[0]}}
	local[0].SetLen(len(into))
	remote := []unix.RemoteIovec{{Base: at, Len: len(into)}}
	if n, err := unix.ProcessVMReadv(tid, local, remote, 0); err == nil && n == len(into) {
		return nil
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", tid))
	if err != nil {
		return err
	}
	defer mem.Close()
	_, err = mem.ReadAt(into, int64(at))
	return err
}

// closesOnExec reads a flag of the program's descriptor, to keep it.
func (c *trappedCall) closesOnExec() bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%d", c.place.pid, c.place.fd))
	if err != nil {
		return true
	}
	for line := range strings.Lines(string(data)) {
		if v, ok := strings.CutPrefix(line, "flags:"); ok {
			flags, err := strconv.ParseUint(strings.TrimSpace(v), 8, 64)
			return err != nil || flags&unix.O_CLOEXEC != 0
		}
	}
	return true
}

// isTCP says whether the taken socket is one whose listening can be handed on,
// and fills in what the address of a bind does not tell.
func (c *trappedCall) isTCP(a *address) bool {
	get := func(level, option int) int {
		v, err := unix.GetsockoptInt(c.socket, level, option)
		if err != nil {
			return 0
		}
		return v
	}
	protocol := get(unix.SOL_SOCKET, unix.SO_PROTOCOL)
	if get(unix.SOL_SOCKET, unix.SO_TYPE) != unix.SOCK_STREAM || protocol != unix.IPPROTO_TCP && protocol != unix.IPPROTO_MPTCP {
		return false
	}
	if get(unix.SOL_SOCKET, unix.SO_DOMAIN) != a.family {
		return false
	}
	// Options that change which packets arrive are not worth the risk.
	if get(unix.SOL_SOCKET, unix.SO_MARK) != 0 || get(unix.SOL_IP, unix.IP_TRANSPARENT) != 0 || get(unix.SOL_IP, unix.IP_FREEBIND) != 0 {
		return false
	}
	if device, err := unix.GetsockoptString(c.socket, unix.SOL_SOCKET, unix.SO_BINDTODEVICE); err == nil && device != "" {
		return false
	}
	a.v6only = a.family == unix.AF_INET6 && get(unix.IPPROTO_IPV6, unix.IPV6_V6ONLY) != 0
	return true
}

func (c *trappedCall) reusesPort() bool {
	if c.socket < 0 {
		return false
	}
	v, err := unix.GetsockoptInt(c.socket, unix.SOL_SOCKET, unix.SO_REUSEPORT)
	return err == nil && v != 0
}

// protocolByName asks what kind of socket it is without taking it.
func (c *trappedCall) protocolByName() (int, bool) {
	buf := make([]byte, 32)
	n, err := unix.Getxattr(fmt.Sprintf("/proc/%d/fd/%d", c.place.pid, c.place.fd), "system.sockprotoname", buf)
	if err != nil {
		return 0, false
	}
	switch strings.TrimRight(string(buf[:n]), "\x00") {
	case "TCP", "TCPv6":
		return unix.IPPROTO_TCP, true
	case "MPTCP", "MPTCPv6":
		return unix.IPPROTO_MPTCP, true
	}
	return 0, false
}

// inheritedOptions are what a server may have set on a socket before bind and
// expects of it, and of connections it accepts.
var inheritedOptions = []struct{ level, option int }{
	{unix.SOL_SOCKET, unix.SO_REUSEADDR},
	{unix.SOL_SOCKET, unix.SO_REUSEPORT},
	{unix.SOL_SOCKET, unix.SO_KEEPALIVE},
	{unix.SOL_SOCKET, unix.SO_PRIORITY},
	{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE},
	{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL},
	{unix.IPPROTO_TCP, unix.TCP_KEEPCNT},
	{unix.IPPROTO_TCP, unix.TCP_NODELAY},
	{unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT},
	{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT},
	{unix.IPPROTO_TCP, unix.TCP_FASTOPEN},
}

// dressUp gives the held socket the options and the blocking mode of the one
// it stands for. The mode belongs to the open file that all holders share.
func dressUp(heldFD, fd int) {
	for _, o := range inheritedOptions {
		want, err := unix.GetsockoptInt(fd, o.level, o.option)
		if err != nil {
			continue
		}
		if have, err := unix.GetsockoptInt(heldFD, o.level, o.option); err == nil && have != want {
			unix.SetsockoptInt(heldFD, o.level, o.option, want)
		}
	}
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0); err == nil {
		unix.SetNonblock(heldFD, flags&unix.O_NONBLOCK != 0)
	}
}

// makeSocket makes the listening socket of a program whose own cannot be
// taken. SO_REUSEADDR and dual stack are what servers usually ask for.
func makeSocket(a address, protocol int) (int, error) {
	fd, err := unix.Socket(a.family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
	if err != nil {
		return -1, err
	}
	var sa unix.Sockaddr
	if a.family == unix.AF_INET6 {
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0)
		sa = &unix.SockaddrInet6{Port: int(a.port), Addr: a.ip.As16(), ZoneId: a.scope}
	} else {
		sa = &unix.SockaddrInet4{Port: int(a.port), Addr: a.ip.As4()}
	}
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err := unix.Bind(fd, sa); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}
