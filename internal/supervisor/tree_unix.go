//go:build unix && !linux

package supervisor

import (
	"context"
	"os"
	"syscall"
	"time"
)

// Without /proc and subreapers only the process group is known: a descendant
// that calls setsid survives, and so does the program if this process is killed.

// descent is empty here.
type descent struct{}

// groupPoll is how often the group is asked for: nothing announces its end.
const groupPoll = 2 * time.Millisecond

func processAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// isMainThread does not matter here: nothing is tied to a thread.
func isMainThread() bool { return false }

func (s *Supervisor) adopt()      {}
func (g *Generation) born()       {}
func (g *Generation) thaw()       {}
func (g *Generation) killAll()    { g.signal(syscall.SIGKILL) }
func (g *Generation) alive() bool { return syscall.Kill(-g.Pid, 0) == nil }

// members names the group by its leader.
func (g *Generation) members() []int {
	if g.alive() {
		return []int{g.Pid}
	}
	return nil
}

func (g *Generation) signalMembers(_ []int, sig os.Signal) { g.signal(sig) }

func (g *Generation) awaitEmpty(ctx context.Context, killed <-chan struct{}) bool {
	tick := time.NewTicker(groupPoll)
	defer tick.Stop()
	for g.alive() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		case <-killed:
			return false
		}
	}
	return true
}
