package supervisor

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// forbid makes system calls fail with EPERM in this whole process and its
// children, as container runtimes do.
func forbid(calls ...uintptr) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const retErrno = 0x00050000
	program := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offsetNr}}
	for i, nr := range calls {
		program = append(program, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(nr), Jt: uint8(len(calls) - i)})
	}
	program = append(program,
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: seccompRetAllow},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: retErrno | uint32(unix.EPERM)})
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	const allThreads = 1 // SECCOMP_FILTER_FLAG_TSYNC
	_, err := seccomp(seccompSetModeFilter, allThreads, unsafe.Pointer(&prog))
	return err
}

// confined LEVEL CALLS ADDRESS restarts a server under load where calls are
// forbidden, and prints what came of it.
func confined(args []string) {
	var calls []uintptr
	for name := range strings.SplitSeq(args[0], ",") {
		nr := map[string]uintptr{"seccomp": unix.SYS_SECCOMP, "pidfd_getfd": unix.SYS_PIDFD_GETFD, "unshare": unix.SYS_UNSHARE, "process_vm_readv": unix.SYS_PROCESS_VM_READV, "none": 0}[name]
		if nr != 0 {
			calls = append(calls, nr)
		}
	}
	if len(calls) > 0 {
		fail(forbid(calls...))
	}
	s := New(Options{Log: func(f string, a ...any) { fmt.Printf("notice "+f+"\n", a...) }})
	spec := testSpec(nil, "serve", args[1])
	spec.Stdout, spec.Stderr = os.Stdout, os.Stderr
	g, err := s.Start(context.Background(), spec)
	fail(err)
	<-g.Ready()
	load := startLoad(args[1], 5*time.Millisecond)
	for range 8 {
		_, _, err := s.Replace(context.Background(), spec)
		fail(err)
		idle(20 * time.Millisecond)
	}
	load.end()
	level := s.Handover()
	fail(s.Close())
	fmt.Printf("result level=%s refused=%v answered=%v\n", level, load.refused > 0, len(load.took) > 20)
}

// TestLevels forces each level by forbidding what the better one needs.
func TestLevels(t *testing.T) {
	needsHandover(t)
	tests := []struct {
		name, forbidden string
		args            []string
		want            string
		notice          string
	}{
		{name: "full", forbidden: "none", want: "level=full refused=false answered=true"},
		{name: "no way to read memory but /proc", forbidden: "process_vm_readv", want: "level=full refused=false answered=true"},
		{name: "no drain", forbidden: "unshare", want: "level=full refused=false answered=true"},
		{name: "default container", forbidden: "pidfd_getfd,unshare", want: "level=no-getfd refused=false answered=true", notice: "less care"},
		{name: "no seccomp", forbidden: "seccomp", want: "level=plain", notice: "no hand-over of listening sockets"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := newOutput(t)
			s := newTest(t, Options{Handover: "off"})
			spec := testSpec(out, "confined", tt.forbidden, "127.0.0.1:"+freePort(t))
			g := mustStart(t, s, spec)
			receive(t, "end", g.Done())
			if got := out.value("result"); !strings.HasPrefix(got, tt.want) || g.Exit().Code != 0 {
				data, _ := os.ReadFile(out.path)
				t.Errorf("got %q, exit %v, output:\n%s", got, g.Exit(), data)
			}
			if got := out.value("notice"); !strings.Contains(got, tt.notice) || (got == "") != (tt.notice == "") {
				t.Errorf("notice %q", got)
			}
			if data, _ := os.ReadFile(out.path); strings.Count("\n"+string(data), "\nnotice ") > 1 {
				t.Errorf("the level is told more than once:\n%s", data)
			}
		})
	}
}

// TestNested: a supervisor below another gets its hand-over from that one.
func TestNested(t *testing.T) {
	needsHandover(t)
	out := newOutput(t)
	s := newTest(t, Options{})
	g := mustStart(t, s, testSpec(out, "confined", "none", "127.0.0.1:"+freePort(t)))
	receive(t, "end", g.Done())
	if got := out.value("result"); got != "level=plain refused=false answered=true" {
		data, _ := os.ReadFile(out.path)
		t.Errorf("got %q, output:\n%s", got, data)
	}
}

// TestWithoutPrivilege runs the hand-over as a user who is nobody.
func TestWithoutPrivilege(t *testing.T) {
	needsHandover(t)
	if os.Geteuid() != 0 {
		t.Skip("this user has no privilege to give up; the other tests cover it")
	}
	out := newOutput(t)
	data, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/tmp", "supervisor")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := dir + "/program"
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "none", "127.0.0.1:"+freePort(t))
	cmd.Env = append(os.Environ(), programVariable+"=confined", quickExit)
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = out.file, out.file
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if err := cmd.Run(); err != nil {
		t.Errorf("%v", err)
	}
	if got := out.value("result"); got != "level=full refused=false answered=true" {
		text, _ := os.ReadFile(out.path)
		t.Errorf("got %q, output:\n%s", got, text)
	}
}
