package supervisor

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Freeze: a program that waits in accept or poll, or in an epoll set that we
// cannot have, cannot be kept from accepting. So it is stopped for a moment,
// again and again, until a moment is found in which it owes nobody an answer. It
// stays stopped until the stop signal is pending, and when that ends it, it ends
// it before another accept.

const (
	// freezeWait bounds the wait for all threads to stop. A thread does so when
	// it next leaves the kernel, which takes microseconds, or on a busy machine
	// until it has a processor.
	freezeWait = 100 * time.Millisecond
	// freezePoll is between two looks at whether they have.
	freezePoll = 50 * time.Microsecond
)

// freeze stops the processes of g where nobody waits for an answer of theirs.
// When that does not come within drainCap of waiting, they run.
func (g *Generation) freeze(pids []int, busy func() int) {
	for _, pid := range pids {
		if traced(pid) {
			return // every signal is its debugger's
		}
	}
	limit, waiting := time.NewTimer(drainMax), time.NewTimer(drainCap)
	defer limit.Stop()
	defer waiting.Stop()
	threads := newThreadClock(pids)
	for {
		// A thread that runs may have sent half of its answer.
		if threads.running(pids) > 0 {
			waiting.Reset(drainCap)
		} else if busy() == 0 {
			signalEach(pids, unix.SIGSTOP)
			if allStopped(pids) && busy() == 0 {
				g.frozen = pids
				return
			}
			signalEach(pids, unix.SIGCONT)
		}
		select {
		case <-time.After(drainPoll):
		case <-waiting.C:
			return
		case <-limit.C:
			return
		case <-g.killed:
			return
		case <-g.Done():
			return
		}
	}
}

// thaw lets a frozen generation see the signals that it was sent.
func (g *Generation) thaw() {
	signalEach(g.frozen, unix.SIGCONT)
	g.frozen = nil
}

// signalEach does not use the group: who left it is to stop as well, and the
// processes were found a moment ago.
func signalEach(pids []int, sig unix.Signal) {
	for _, pid := range pids {
		unix.Kill(pid, sig)
	}
}

// allStopped waits until every thread is.
func allStopped(pids []int) bool {
	gap := unix.NsecToTimespec(freezePoll.Nanoseconds())
	for begin := time.Now(); time.Since(begin) < freezeWait; unix.Nanosleep(&gap, nil) {
		stopped := true
		eachThread(pids, func(task string) {
			data, err := os.ReadFile(task + "/stat")
			if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
				return // it has ended
			}
			i := bytes.LastIndexByte(data, ')')
			stopped = stopped && err == nil && i >= 0 && (bytes.HasPrefix(data[i:], []byte(") T")) || bytes.HasPrefix(data[i:], []byte(") Z")))
		})
		if stopped {
			return true
		}
	}
	return false
}

// traced says whether a debugger controls pid.
func traced(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return err != nil || !bytes.Contains(data, []byte("\nTracerPid:\t0\n"))
}
