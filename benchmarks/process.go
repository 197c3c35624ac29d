package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// line is one line of a process's output and when it was read.
type line struct {
	text string
	at   time.Time
}

// process is a command in a process group of its own, with its output.
type process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{} // closed when it is reaped and its output read

	mu    sync.Mutex // guards fields below
	lines []line
	more  chan struct{} // closed and replaced at every line
}

// start begins a process. Its output ends with it even if a child of its own
// keeps the pipe.
func start(name, dir string, env []string, argv ...string) (*process, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = dir, env
	cmd.SysProcAttr = ownGroup()
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = w, w
	err = cmd.Start()
	w.Close()
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &process{name: name, cmd: cmd, done: make(chan struct{}), more: make(chan struct{})}
	read := make(chan struct{})
	go func() {
		defer close(read)
		p.read(r)
	}()
	go func() {
		cmd.Wait()
		// What the pipe still holds is read at once; a grandchild may hold it open.
		r.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		<-read
		r.Close()
		close(p.done)
	}()
	return p, nil
}

// maxLine bounds a line that is kept: hr tells every input of a build in one.
const maxLine = 4 << 20

func (p *process) read(r io.Reader) {
	scan := bufio.NewScanner(r)
	scan.Buffer(make([]byte, 64<<10), maxLine)
	for scan.Scan() {
		now := time.Now()
		p.mu.Lock()
		p.lines = append(p.lines, line{scan.Text(), now})
		close(p.more)
		p.more = make(chan struct{})
		p.mu.Unlock()
	}
}

// seen is how many lines there are; a wait from here sees only later ones.
func (p *process) seen() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.lines)
}

// find waits for the first line from the given one on that match accepts.
func (p *process) find(ctx context.Context, from int, match func(string) bool) (line, error) {
	for {
		p.mu.Lock()
		lines, more := p.lines[from:], p.more
		p.mu.Unlock()
		for _, l := range lines {
			if match(l.text) {
				return l, nil
			}
		}
		from += len(lines)
		select {
		case <-more:
		case <-p.done:
			if p.seen() == from {
				return line{}, fmt.Errorf("%s ended: %v", p.name, p.cmd.ProcessState)
			}
		case <-ctx.Done():
			return line{}, ctx.Err()
		}
	}
}

// tail is the end of the output, for error messages.
func (p *process) tail() string {
	const last = 25 // lines: a build error and what came before it
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	for _, l := range p.lines[max(0, len(p.lines)-last):] {
		text := l.text
		if len(text) > 400 {
			text = text[:400] + " ..."
		}
		fmt.Fprintf(&b, "\t%s: %s\n", p.name, text)
	}
	return b.String()
}

// alive tells whether the process itself still runs.
func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// stopGrace is longer than any tool here takes to end its program and itself:
// reflex waits at most twice 500 ms.
const stopGrace = 3 * time.Second

// stop ends the process as Ctrl-C in a terminal would, or by force in the end.
// What it leaves behind is ended with the driver.
func (p *process) stop() {
	if p == nil {
		return
	}
	if p.alive() {
		interruptGroup(p.cmd.Process.Pid)
		select {
		case <-p.done:
		case <-time.After(stopGrace):
		}
	}
	p.kill()
}

// kill ends the process group at once.
func (p *process) kill() {
	if p == nil {
		return
	}
	killGroup(p.cmd.Process.Pid)
	<-p.done
}

// killBelow ends every process that this one has started, directly or not.
func killBelow() {
	for _, pid := range descendants(os.Getpid()) {
		killProcess(pid)
	}
}

// command runs a command to its end and returns the end of what it printed.
func command(ctx context.Context, dir string, env []string, argv ...string) (string, error) {
	p, err := finish(ctx, dir, env, argv...)
	if p == nil {
		return "", err
	}
	return p.tail(), err
}

// finish runs a command to its end. There is no process if it did not come to it.
func finish(ctx context.Context, dir string, env []string, argv ...string) (*process, error) {
	p, err := start(argv[0], dir, env, argv...)
	if err != nil {
		return nil, err
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		p.stop()
		return nil, ctx.Err()
	}
	if !p.cmd.ProcessState.Success() {
		return p, errors.New(strings.Join(argv, " ") + ": " + p.cmd.ProcessState.String() + "\n" + p.tail())
	}
	return p, nil
}
