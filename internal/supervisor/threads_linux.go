package supervisor

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// threadClock tells, of the threads of some processes, which are about to do
// something, by the processor time that each has had since the clock was made.
type threadClock struct {
	begun time.Time
	used  map[string]time.Duration // by task directory; a thread that was not there had 0
}

func newThreadClock(pids []int) *threadClock {
	c := &threadClock{begun: time.Now(), used: map[string]time.Duration{}}
	eachThread(pids, func(task string) {
		if used, ok := processorTime(task); ok {
			c.used[task] = used
		}
	})
	return c
}

// running counts threads that are runnable, or wait for a page of memory, and
// have had less than drainRunning of a processor. Where the kernel does not
// count that (no CONFIG_SCHED_INFO), the time since the clock was made does.
func (c *threadClock) running(pids []int) (n int) {
	eachThread(pids, func(task string) {
		if !runnable(task) {
			return
		}
		used, ok := processorTime(task)
		if ok {
			used -= c.used[task]
		} else {
			used = time.Since(c.begun)
		}
		if used < drainRunning {
			n++
		}
	})
	return n
}

func eachThread(pids []int, visit func(task string)) {
	for _, pid := range pids {
		tasks := fmt.Sprintf("/proc/%d/task", pid)
		dir, err := os.Open(tasks)
		if err != nil {
			continue
		}
		threads, _ := dir.Readdirnames(-1)
		dir.Close()
		for _, t := range threads {
			visit(tasks + "/" + t)
		}
	}
}

// runnable reads the state of a thread (proc_pid_stat(5)).
func runnable(task string) bool {
	data, err := os.ReadFile(task + "/stat")
	if err != nil {
		return false
	}
	i := bytes.LastIndexByte(data, ')')
	return i >= 0 && (bytes.HasPrefix(data[i:], []byte(") R")) || bytes.HasPrefix(data[i:], []byte(") D")))
}

// processorTime is the first field of schedstat, in ns
// (Documentation/scheduler/sched-stats.rst). All zero means not counted: a
// thread that exists has run.
func processorTime(task string) (time.Duration, bool) {
	data, err := os.ReadFile(task + "/schedstat")
	if err != nil {
		return 0, false
	}
	first, _, _ := bytes.Cut(data, []byte(" "))
	ns, err := strconv.ParseInt(string(first), 10, 64)
	return time.Duration(ns), err == nil && ns > 0
}
