package supervisor

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// How descendants are found. The supervisor's process is a subreaper: whoever
// loses its parent anywhere below becomes its child. So every process of a
// generation is below the program, or below a child of this process that is
// neither the program nor started by it. /proc/PID/task/TID/children lists
// children per forking thread, hence all threads are read. A generation's own
// orphans are told from others by process group, by having been seen below the
// program, by HR_GENERATION in their environment, or by the hand-over's filter.

// orphanDelay gathers the deaths of a burst into one sweep; a zombie costs
// nothing but its number meanwhile.
const orphanDelay = time.Second

// descent is what was seen of a generation's descendants.
type descent struct {
	mu    sync.Mutex     // guards known and alien
	known map[int]uint64 // by pid: start time
	alien map[int]uint64 // our children that are none of the generation's
	start uint64         // of the program itself
	trap  *trap          // nil without hand-over

	frozen []int // processes that are stopped until the stop signal; guarded by Supervisor.busy
}

// process is one line of /proc/PID/stat (proc_pid_stat(5)).
type process struct {
	pid, parent, group int
	dead               bool   // has exited with all its threads
	start              uint64 // clock ticks after boot: with pid, an identity
}

func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func isMainThread() bool { return unix.Gettid() == unix.Getpid() }

// adopt makes this process the parent of orphans and their undertaker, and
// lets it hear of stopped children.
func (s *Supervisor) adopt() {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		s.opts.Log("processes that leave the program's group may survive it: %v", err)
	}
	died := make(chan os.Signal, 1)
	signal.Notify(died, unix.SIGCHLD)
	stop := make(chan os.Signal, 1)
	if heard := Heard(stopSignals...); s.terminal.fd >= 0 && len(heard) > 0 {
		signal.Notify(stop, heard...)
	}
	s.wg.Go(func() {
		defer signal.Stop(died)
		defer signal.Stop(stop)
		sweep := time.NewTimer(orphanDelay)
		sweep.Stop()
		defer sweep.Stop()
		for {
			select {
			case <-died:
				s.childStopped()
				sweep.Reset(orphanDelay)
			case <-stop:
				s.suspended()
			case <-sweep.C:
				reapOrphans()
			case <-s.stop:
				reapOrphans()
				return
			}
		}
	})
}

// born records the identity of the program.
func (g *Generation) born() {
	g.known, g.alien = map[int]uint64{}, map[int]uint64{}
	if p, ok := readProcess(g.Pid); ok {
		g.start = p.start
	}
}

// members returns the living processes of the generation, and buries its dead.
// Whom it has seen it finds again, wherever that process goes.
func (g *Generation) members() []int {
	g.mu.Lock()
	defer g.mu.Unlock()
	var live []int
	seen := map[int]bool{}
	var visit func(pid int)
	visit = func(pid int) {
		p, ok := readProcess(pid)
		if seen[pid] || !ok {
			return
		}
		seen[pid] = true
		g.known[pid] = p.start
		if !p.dead {
			live = append(live, pid)
		} else if p.parent == os.Getpid() && pid != g.Pid {
			reap(pid)
		}
		for _, c := range children(pid) {
			visit(c)
		}
	}
	if !g.over() {
		visit(g.Pid)
	}
	var owned map[int]bool
	for _, pid := range children(os.Getpid()) {
		p, ok := readProcess(pid)
		if !ok || pid == g.Pid || seen[pid] || p.start < g.start || g.alien[pid] == p.start {
			continue
		}
		if p.group == g.Pid || g.known[pid] == p.start {
			visit(pid)
			continue
		}
		if owned == nil {
			owned = ownProcesses()
		}
		if !owned[pid] && (carries(pid, g.ID) || g.trap != nil && filtered(pid)) {
			visit(pid)
		} else {
			g.alien[pid] = p.start
		}
	}
	for pid, start := range g.known {
		p, ok := readProcess(pid)
		switch {
		case !ok || p.start != start:
			delete(g.known, pid)
		case !seen[pid] && !p.dead && pid != g.Pid:
			visit(pid)
		}
	}
	return live
}

// signalMembers reaches those that left the group, too.
func (g *Generation) signalMembers(pids []int, sig os.Signal) {
	if len(pids) == 0 {
		return // the group's number may belong to somebody else by now
	}
	g.signal(sig)
	n, _ := sig.(syscall.Signal)
	for _, pid := range pids {
		if pgid, err := unix.Getpgid(pid); err == nil && pgid != g.Pid {
			unix.Kill(pid, n)
		}
	}
}

// killAll kills the group and everybody known, whatever became of them.
func (g *Generation) killAll() { g.signalMembers(g.members(), syscall.SIGKILL) }

// awaitEmpty waits until no process of the generation lives; false when ctx
// ends or killed is closed before that.
func (g *Generation) awaitEmpty(ctx context.Context, killed <-chan struct{}) bool {
	for {
		left := g.members()
		if len(left) == 0 {
			return true
		}
		gone := make(chan struct{})
		wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
		if err != nil {
			return false
		}
		go func() {
			defer close(gone)
			awaitExit(left[0], wake)
		}()
		again := true
		select {
		case <-gone:
		case <-ctx.Done():
			again = false
		case <-killed:
			again = false
		}
		unix.Write(wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
		<-gone
		unix.Close(wake)
		if !again {
			return false
		}
	}
}

// awaitExit returns when pid has exited or wake was written to.
func awaitExit(pid, wake int) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) {
			awaitExitByAsking(pid, wake)
		}
		return // ESRCH: gone
	}
	defer unix.Close(fd)
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(wake), Events: unix.POLLIN}}
	for {
		if _, err := unix.Poll(fds, -1); !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// awaitExitByAsking serves kernels before 5.3, which have no pidfd. 2 ms keep
// the restart short at a cost of one stat each.
func awaitExitByAsking(pid, wake int) {
	fds := []unix.PollFd{{Fd: int32(wake), Events: unix.POLLIN}}
	for {
		if n, _ := unix.Poll(fds, 2); n > 0 {
			return
		}
		if p, ok := readProcess(pid); !ok || p.dead {
			return
		}
	}
}

// reapOrphans waits for dead children that nobody else in this process will
// wait for. os.Process holds a pidfd from fork to Wait (Go 1.23), so a child
// without one has no owner here.
func reapOrphans() {
	var dead []int
	for _, pid := range children(os.Getpid()) {
		if p, ok := readProcess(pid); ok && p.dead {
			dead = append(dead, pid)
		}
	}
	if len(dead) == 0 || !pidfdsInUse() {
		return
	}
	owned := ownProcesses()
	for _, pid := range dead {
		if !owned[pid] {
			reap(pid)
		}
	}
}

// pidfdsInUse says whether package os tracks children by pidfd on this system.
var pidfdsInUse = sync.OnceValue(func() bool {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	// os checks the same two calls before it relies on pidfds (os/pidfd_linux.go).
	if err := unix.PidfdSendSignal(fd, 0, nil, 0); err != nil {
		return false
	}
	err = unix.Waitid(unix.P_PIDFD, fd, nil, unix.WEXITED, nil)
	return errors.Is(err, unix.ECHILD)
})

func reap(pid int) { unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOHANG, nil) }
