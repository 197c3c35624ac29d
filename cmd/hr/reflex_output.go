package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/printable"
	"github.com/hotreflex/hr/internal/reflex"
)

// drainWait is for the last lines of a program that has ended. They are in the
// kernel already; only what it left running in the background could keep the
// output open for longer.
const drainWait = 100 * time.Millisecond

// reflexOutput gathers the output of commands line by line and marks each line
// with its command. Its methods may be called from any goroutine.
type reflexOutput struct {
	c     *command
	style reflex.Decoration
	wg    sync.WaitGroup

	mu      sync.Mutex // guards fields below and writes to stdout
	streams map[*reflexStream]bool
}

// reflexStream is the output of one run.
type reflexStream struct {
	o    *reflexOutput
	id   int
	file *os.File      // our end
	done chan struct{} // closed when all is read
}

func newReflexOutput(c *command, style reflex.Decoration) *reflexOutput {
	return &reflexOutput{c: c, style: style, streams: map[*reflexStream]bool{}}
}

// open returns a stream and the end of it that the command writes to, which
// the caller closes.
func (o *reflexOutput) open(id int) (*reflexStream, *os.File, error) {
	ours, theirs, err := openOutput()
	if err != nil {
		return nil, nil, fmt.Errorf("open an output for the command: %w", err)
	}
	s := &reflexStream{o: o, id: id, file: ours, done: make(chan struct{})}
	resizeOutput(o.c.stdout, ours)
	o.mu.Lock()
	o.streams[s] = true
	o.mu.Unlock()
	o.wg.Go(s.read)
	return s, theirs, nil
}

// read passes on whole lines, however long, and a last one without an end.
func (s *reflexStream) read() {
	defer close(s.done)
	defer s.forget()
	in := bufio.NewReader(s.file)
	for {
		line, err := in.ReadString('\n')
		if line != "" {
			s.o.print(s.id, strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"))
		}
		if err != nil {
			return // io.EOF, or EIO from a terminal whose last user has gone
		}
	}
}

func (s *reflexStream) forget() {
	s.o.mu.Lock()
	delete(s.o.streams, s)
	s.o.mu.Unlock()
	s.file.Close()
}

// drain returns when the lines of a program that has ended are printed.
func (s *reflexStream) drain() {
	select {
	case <-s.done:
	case <-time.After(drainWait):
	}
}

// abandon closes a stream that no command writes to.
func (s *reflexStream) abandon() { s.file.Close() }

func (o *reflexOutput) print(id int, text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	io.WriteString(o.c.stdout, o.style.Mark(id, text)+"\n") // an output that is gone has no reader
}

// info prints what hr says about a command.
func (o *reflexOutput) info(id int, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if o.c.screen.JSON() {
		o.c.screen.Tell(event.Info{Number: id, Text: text})
		return
	}
	o.print(id, printable.Line(text))
}

// farewell is the one line of hr itself that has no mark.
func (o *reflexOutput) farewell(sig os.Signal) {
	text := fmt.Sprintf("Interrupted (%v). Cleaning up children...", sig)
	if o.c.screen.JSON() {
		o.c.screen.Tell(event.Interrupted{Text: text})
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	fmt.Fprintln(o.c.stdout, text)
}

// resize gives all terminals the size of ours.
func (o *reflexOutput) resize() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for s := range o.streams {
		resizeOutput(o.c.stdout, s.file)
	}
}

// close waits for the last lines; no command is left.
func (o *reflexOutput) close() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		o.wg.Wait()
	}()
	select {
	case <-done:
	case <-time.After(drainWait): // a process that left its session holds the terminal
	}
}
