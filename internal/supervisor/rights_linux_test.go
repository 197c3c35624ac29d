package supervisor

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// startOthers supervises a shell that runs args, in three generations.
func startOthers(args []string) {
	s := New(Options{Log: func(f string, a ...any) { fmt.Printf("notice "+f+"\n", a...) }})
	for range 3 {
		g, err := s.Start(context.Background(), Spec{Path: "/bin/sh", Args: []string{"sh", "-c", strings.Join(args, "; ") + "; :"}})
		fail(err)
		<-g.Done()
	}
	fail(s.Close())
}

// TestRights: of programs that lose rights by the hand-over one is told, once.
func TestRights(t *testing.T) {
	needsHandover(t)
	if os.Geteuid() != 0 {
		t.Skip("needs root, to make files that give rights and to be nobody")
	}
	dir, err := os.MkdirTemp("/tmp", "supervisor")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil || fs.Flags&unix.ST_NOSUID != 0 {
		t.Skipf("files of %s give no rights: %v", dir, err)
	}
	os.Chmod(dir, 0o755)
	copyOf := func(from, name string, mode uint32) string {
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := unix.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	program := copyOf(os.Args[0], "program", 0o755)
	plain := copyOf("/bin/true", "plain", 0o755)
	user := copyOf("/bin/true", "user", unix.S_ISUID|0o755)
	group := copyOf("/bin/true", "group", unix.S_ISGID|0o755)
	locks := copyOf("/bin/true", "locks", unix.S_ISGID|0o745)
	able := copyOf("/bin/true", "able", 0o755)
	// struct vfs_cap_data of linux/capability.h, revision 2: CAP_NET_RAW.
	if err := unix.Setxattr(able, "security.capability", []byte{0, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0); err != nil {
		t.Logf("no file capabilities here: %v", err)
		able = user
	}
	for _, tt := range []struct {
		name  string
		uid   uint32
		start []string
		want  string
	}{
		{"nobody's sudo", 65534, []string{plain, user, user}, user + " runs without the rights of its file (set-user-id)"},
		{"set-group-id", 65534, []string{group}, group + " runs"},
		{"capabilities", 65534, []string{able}, able + " runs"},
		{"nothing to lose", 65534, []string{plain, locks}, ""},
		{"root's sudo", 0, []string{user, group}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := newOutput(t)
			cmd := exec.Command(program, tt.start...)
			cmd.Env = append(os.Environ(), programVariable+"=start-others", quickExit)
			cmd.Dir = "/"
			cmd.Stdout, cmd.Stderr = out.file, out.file
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: tt.uid, Gid: tt.uid}}
			err := cmd.Run()
			data, _ := os.ReadFile(out.path)
			want := 0
			if tt.want != "" {
				want = 1
			}
			if text := string(data); err != nil || strings.Count(text, "notice ") != want || !strings.Contains(text, tt.want) {
				t.Errorf("%v, output:\n%s", err, data)
			}
		})
	}
}
