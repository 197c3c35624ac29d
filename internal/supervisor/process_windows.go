package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Windows has no signal for a console program that others do not get too:
// CTRL_BREAK goes to the program's process group, which Go programs see as
// os.Interrupt. The job object ends every descendant, and ends them with this
// process. Not here: hand-over, readiness by listening socket.

var defaultStopSignal os.Signal = os.Interrupt

// errTextBusy never happens on Windows.
var errTextBusy = errors.New("text file busy")

// jobPoll is how often the job is asked for living processes.
const jobPoll = 5 * time.Millisecond

// descent holds the job object, 0 when Windows refused one.
type descent struct{ job windows.Handle }

func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
}

// isMainThread does not matter here: nothing is tied to a thread.
func isMainThread() bool { return false }

func (s *Supervisor) adopt() {}
func (g *Generation) thaw()  {}

// born puts the program in a job. What it started before that is not in it.
func (g *Generation) born() {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return
	}
	info := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{}
	info.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	if err := g.joinJob(job, &info); err != nil {
		windows.CloseHandle(job)
		return
	}
	g.job = job
}

func (g *Generation) joinJob(job windows.Handle, info *windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION) error {
	_, err := windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(info)), uint32(unsafe.Sizeof(*info)))
	if err != nil {
		return fmt.Errorf("limit job: %w", err)
	}
	p, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(g.Pid))
	if err != nil {
		return fmt.Errorf("open process: %w", err)
	}
	defer windows.CloseHandle(p)
	return windows.AssignProcessToJobObject(job, p)
}

func (g *Generation) signal(sig os.Signal) {
	if sig == os.Kill || windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(g.Pid)) != nil {
		g.process.Kill()
	}
}

func (g *Generation) signalMembers(_ []int, sig os.Signal) {
	if !g.over() {
		g.signal(sig)
	}
}

func (g *Generation) killAll() {
	if g.job != 0 {
		windows.TerminateJobObject(g.job, 1)
	}
	g.process.Kill()
}

// members names the job by the program's pid.
func (g *Generation) members() []int {
	if g.job == 0 {
		return nil
	}
	var info struct {
		userTime, kernelTime, periodUser, periodKernel int64
		pageFaults, processes, active, terminated      uint32
	}
	const basicAccounting = 1 // JobObjectBasicAccountingInformation
	err := windows.QueryInformationJobObject(g.job, basicAccounting, uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)), nil)
	if err != nil || info.active == 0 {
		windows.CloseHandle(g.job)
		g.job = 0
		return nil
	}
	return []int{g.Pid}
}

func (g *Generation) awaitEmpty(ctx context.Context, killed <-chan struct{}) bool {
	tick := time.NewTicker(jobPoll)
	defer tick.Stop()
	for len(g.members()) > 0 {
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
