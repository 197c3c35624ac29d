//go:build unix

package supervisor

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// The guard is a small process that outlives us by a moment. It reads the
// current process group from a pipe, and when the pipe ends without the word
// that the group is empty, we were killed, and it kills the group. Pdeathsig
// alone ends only the program itself, and exists only on Linux. A descendant
// in a session of its own is not reached.

// guardScript is all of it. At the end of input read leaves g empty.
const guardScript = `p=0; while read -r g; do p=$g; done; [ "$p" = 0 ] || kill -s KILL -- "-$p"`

type guard struct {
	mu    sync.Mutex // guards fields below
	cmd   *exec.Cmd
	pipe  *os.File // write end; nil when there is no guard
	group int      // what the guard was told last
}

// watch makes group the one to end with us.
func (d *guard) watch(group int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cmd == nil {
		d.begin()
	}
	d.tell(group)
}

// release forgets group, unless another has taken its place: when a group is
// empty, its number may come to belong to somebody else.
func (d *guard) release(group int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.group == group && syscall.Kill(-group, 0) == syscall.ESRCH {
		d.tell(0)
	}
}

// tell writes to the guard; the caller holds mu. An error means that somebody
// killed it: then it does nothing.
func (d *guard) tell(group int) {
	d.group = group
	if d.pipe != nil {
		fmt.Fprintln(d.pipe, group)
	}
}

// begin starts the guard once; without a shell there is none.
func (d *guard) begin() {
	r, w, err := os.Pipe()
	if err != nil {
		return
	}
	defer r.Close()
	d.cmd = exec.Command("/bin/sh", "-c", guardScript)
	d.cmd.Args[0] = "hr-guard"
	d.cmd.Env = []string{}
	d.cmd.Dir = "/"
	d.cmd.Stdin = r
	// Of its own session, no Ctrl-C and no hang-up reaches it.
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := d.cmd.Start(); err != nil {
		w.Close()
		return
	}
	d.pipe = w
}

func (d *guard) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pipe != nil {
		d.pipe.Close()
		d.pipe = nil
		d.cmd.Wait() // it was told what to do; how it ended does not matter
	}
}
