//go:build unix

package daemon

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/hotreflex/hr/internal/protocol"
)

// TestGoCommandOfEachClient: while the go command of one client lists, another
// client's program is loaded by its own. Both work on one module.
func TestGoCommandOfEachClient(t *testing.T) {
	w := newWorld(t)
	real, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	// A go command that notes who called it for what, and makes one client wait.
	bin, log, hold := t.TempDir(), filepath.Join(t.TempDir(), "log"), filepath.Join(t.TempDir(), "hold")
	shim := fmt.Sprintf("#!/bin/sh\necho $HR_WHO $1 >> %[1]s\nif [ $HR_WHO$1 = Alist ] && grep -q 'A build' %[1]s; then while [ -e %[2]s ]; do sleep 0.02; done; fi\nexec %[3]s \"$@\"\n", log, hold, real)
	if err := os.WriteFile(filepath.Join(bin, "go"), []byte(shim), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(hold, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	said := func() string { data, _ := os.ReadFile(log); return string(data) }
	before := os.Getenv("PATH")
	a, b := w.job, w.job
	a.Env = append(a.Env[:len(a.Env):len(a.Env)], "HR_WHO=A", "PATH="+bin+string(filepath.ListSeparator)+before)
	b.Flags = append(b.Flags[:len(b.Flags):len(b.Flags)], "-tags=b") // another program: they do not wait for each other
	b.Env = append(b.Env[:len(b.Env):len(b.Env)], "HR_WHO=B")
	var wg sync.WaitGroup
	wg.Go(func() {
		s, reply, err := w.l.Client().Open(t.Context(), a, protocol.Handler{})
		if err != nil {
			t.Error(err)
			return
		}
		defer s.Close()
		w.says(reply.Outcome.Artifact, "one")
	})
	w.waitfor("A to list", func() bool { _, after, _ := strings.Cut(said(), "A build"); return strings.Contains(after, "A list") })
	if path := os.Getenv("PATH"); path != before {
		t.Errorf("PATH of the daemon is A's: %s", path)
	}
	s, reply, err := w.l.Client().Open(t.Context(), b, protocol.Handler{})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	w.says(reply.Outcome.Artifact, "one")
	if err := os.Remove(hold); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if strings.Contains(said(), "B ") {
		t.Errorf("B ran A's go command:\n%s", said())
	}
	if n := strings.Count(said(), "A list"); n < 2 {
		t.Errorf("A's go command listed %d times:\n%s", n, said())
	}
}
