package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// busyRetries are the waits after ETXTBSY: a fork elsewhere in this process
// holds the just-written file open until its exec, which is a matter of
// milliseconds (go.dev/issue/22315).
var busyRetries = []time.Duration{1, 2, 4, 8, 16, 32, 64}

// generationVariable is the only thing added to the program's environment.
const generationVariable = "HR_GENERATION"

// spawn starts g on a thread of its own, which lives as long as the program:
// Pdeathsig fires when the creating thread dies (go.dev/issue/27505), and the
// hand-over's filter stays on it for good. The thread ends with the goroutine
// because it is never unlocked.
func (s *Supervisor) spawn(ctx context.Context, g *Generation, spec Spec) error {
	started := make(chan error, 1)
	s.wg.Go(func() {
		onOwnThread(func() {
			s.handover.install(g)
			err := s.exec(ctx, g, spec)
			close(g.begun)
			if err == nil {
				s.terminal.started(g.Pid)
			}
			started <- err
			if err == nil {
				g.wait(s.terminal)
				s.guard.release(g.Pid)
			}
		})
	})
	return <-started
}

// onOwnThread runs f on a thread that no other goroutine uses, before or
// after. The main thread will not do: the runtime keeps it for ever.
func onOwnThread(f func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread()
		if !isMainThread() {
			f()
			return
		}
		// Pinned here, the main thread cannot be given to the next goroutine.
		again := make(chan struct{})
		go func() {
			defer close(again)
			runtime.LockOSThread()
			f()
		}()
		<-again
		runtime.UnlockOSThread()
	}()
	<-ended
}

// exec forks and execs; the caller is on the generation's thread.
func (s *Supervisor) exec(ctx context.Context, g *Generation, spec Spec) error {
	args := spec.Args
	if len(args) == 0 {
		args = []string{spec.Path}
	}
	files, closeFiles, err := stdio(spec)
	if err != nil {
		return fmt.Errorf("start %s: %w", spec.Path, err)
	}
	defer closeFiles()
	env := environment(spec, g.ID)
	path, args, env, files := s.sockets.equip(spec.Path, args, env, files)
	attr := &os.ProcAttr{Dir: spec.Dir, Env: env, Files: files, Sys: processAttributes()}
	for i := 0; ; i++ {
		p, err := os.StartProcess(path, args, attr)
		if err == nil {
			g.process, g.Pid, g.Started = p, p.Pid, time.Now()
			g.born()
			return nil
		}
		if !errors.Is(err, errTextBusy) || i == len(busyRetries) {
			return fmt.Errorf("start %s: %w", spec.Path, err)
		}
		select {
		case <-time.After(busyRetries[i] * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("start %s: %w", spec.Path, ctx.Err())
		}
	}
}

// wait ends with the program and records how it ended.
func (g *Generation) wait(t *terminal) {
	state, err := g.process.Wait()
	g.hadTerm = t.takeBack(g.Pid)
	g.exit = Exit{Code: -1, At: time.Now()}
	if err == nil {
		g.exit.Code = state.ExitCode()
		if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			g.exit.Signal = ws.Signal()
		}
	}
	close(g.done)
}

// stdio gives the program its files as they are: no pipe, so that nobody who
// keeps one open can hold the supervisor up.
func stdio(spec Spec) (files []*os.File, done func(), err error) {
	var null *os.File
	done = func() {
		if null != nil {
			null.Close()
		}
	}
	for _, f := range []*os.File{spec.Stdin, spec.Stdout, spec.Stderr} {
		if f == nil {
			if null == nil {
				if null, err = os.OpenFile(os.DevNull, os.O_RDWR, 0); err != nil {
					return nil, done, err
				}
			}
			f = null
		}
		files = append(files, f)
	}
	return files, done, nil
}

// environment returns the program's variables, each once: of two the first
// would win in a Go program and in getenv(3), but the caller appended the last.
func environment(spec Spec, id int) []string {
	env := spec.Env
	if env == nil {
		env = os.Environ()
	}
	env = slices.Clone(env)
	if spec.Dir != "" {
		env = append(env, "PWD="+spec.Dir) // a shell's cd would have set it; os.Getwd trusts it
	}
	env = append(env, generationVariable+"="+strconv.Itoa(id))
	seen := map[string]bool{}
	var once []string
	for _, v := range slices.Backward(env) {
		name, _, ok := strings.Cut(v, "=")
		if ok && name != "" && seen[name] {
			continue
		}
		seen[name] = true
		once = append(once, v)
	}
	slices.Reverse(once)
	return once
}
