package main

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/term"
)

// outputs lets --ready=log read the program's output on its way. Only then is
// there anything between the program and hr's own files, and it passes every
// byte on in order. Standard output and standard error share one pipe when they
// are the same file, such as a terminal, so that their order stays, too; else
// each has its own. What changes for the program is that it sees a pipe.
type outputs struct {
	ready          *regexp.Regexp // nil: the program has hr's files themselves
	stdout, stderr *os.File
	newest         atomic.Pointer[output]
	reading        sync.WaitGroup

	mu   sync.Mutex // guards open
	open []*os.File // read ends
}

// output is that of one generation.
type output struct {
	stdout, stderr *os.File // for the program; ours to close
	matched        chan struct{}
	once           sync.Once
	passing        atomic.Int32  // pipes that are open
	ended          chan struct{} // closed when none is left; nil without pipes
	files          []*fileTail   // without pipes: what can be read again

	mu   sync.Mutex // guards last
	last []printed
}

// printed is a line of the program. shown says that it is on the screen, too.
type printed struct {
	text  string
	shown bool
}

const (
	// lastLines is enough for the message of a server that cannot start, and
	// for the head of a panic's first goroutine.
	lastLines = 20
	// keptLines is enough to find that head among the goroutines of a server.
	keptLines = 1000
	// longLine bounds what is kept of a line; a log line is shorter.
	longLine = 16 << 10
	// lateOutput is what a process that outlived even the kill may take from the
	// end of hr; all others have closed the pipe by then.
	lateOutput = 100 * time.Millisecond
)

// begin returns the files for the next generation.
func (o *outputs) begin() (*output, error) {
	if o.ready == nil {
		return &output{stdout: o.stdout, stderr: o.stderr, files: tails(o.stdout, o.stderr)}, nil
	}
	p := &output{matched: make(chan struct{}), ended: make(chan struct{})}
	var err error
	if p.stdout, err = o.pipe(p, o.stdout, sameFile(o.stdout, o.stderr)); err != nil {
		return nil, err
	}
	p.stderr = p.stdout
	if !sameFile(o.stdout, o.stderr) {
		if p.stderr, err = o.pipe(p, o.stderr, true); err != nil {
			p.stdout.Close()
			return nil, err
		}
	}
	o.newest.Store(p)
	return p, nil
}

// started closes our ends of what the program has now.
func (o *outputs) started(p *output) {
	if o.ready == nil {
		return
	}
	p.stdout.Close()
	p.stderr.Close() // again, if they are one
}

// matched is closed when the newest generation has printed what makes it ready.
func (o *outputs) matched() <-chan struct{} { return o.newest.Load().matched }

// pipe returns the write end of a pipe whose other end goes to a file.
func (o *outputs) pipe(p *output, to *os.File, shown bool) (*os.File, error) {
	from, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	o.open = append(o.open, from)
	o.mu.Unlock()
	p.passing.Add(1)
	o.reading.Go(func() {
		p.pass(from, to, o.ready, shown)
		if p.passing.Add(-1) == 0 {
			close(p.ended)
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		o.open = slices.DeleteFunc(o.open, func(f *os.File) bool { return f == from })
		from.Close()
	})
	return w, nil
}

// close waits until all that was printed is passed on. The program has ended.
func (o *outputs) close() {
	o.mu.Lock()
	for _, f := range o.open {
		f.SetReadDeadline(time.Now().Add(lateOutput))
	}
	o.mu.Unlock()
	o.reading.Wait()
}

// pass copies until the program and all it started have closed their end.
func (p *output) pass(from, to *os.File, ready *regexp.Regexp, shown bool) {
	buf := make([]byte, 32<<10) // half of what a pipe holds on Linux
	var line []byte             // the one that is not whole yet
	for {
		n, err := from.Read(buf)
		to.Write(buf[:n]) // a terminal that is gone has no reader
		rest := buf[:n]
		for len(rest) > 0 {
			part, after, whole := bytes.Cut(rest, []byte("\n"))
			line = append(line, part[:min(len(part), longLine-len(line))]...)
			if ready.Match(line) {
				p.once.Do(func() { close(p.matched) })
			}
			if whole {
				p.keep(string(line), shown)
				line = line[:0]
			}
			rest = after
		}
		if err != nil {
			if len(line) > 0 {
				p.keep(string(line), shown)
			}
			return
		}
	}
}

func (p *output) keep(text string, shown bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = append(p.last, printed{text, shown})
	if len(p.last) >= 2*keptLines { // seldom: it moves all
		p.last = slices.Delete(p.last, 0, len(p.last)-keptLines)
	}
}

// lines are the last ones of the generation, none if hr cannot see them: on a
// terminal they are where the user is. all counts those that are to be found
// elsewhere, too.
func (p *output) lines(all bool) []string {
	if p == nil {
		return nil
	}
	if p.ended == nil {
		if !all {
			return nil
		}
		return lastOf(p.files)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, l := range p.last {
		if all || !l.shown {
			out = append(out, l.text)
		}
	}
	return lastWords(out)
}

// lastWords cuts what a program printed down to what it ended with: the head of
// a Go program's panic, for many goroutines may follow, else the last lines.
func lastWords(lines []string) []string {
	for i, l := range slices.Backward(lines) {
		if strings.HasPrefix(l, "panic: ") || strings.HasPrefix(l, "fatal error: ") {
			return lines[i:min(len(lines), i+lastLines)]
		}
	}
	return lines[max(0, len(lines)-lastLines):]
}

// told is the last lines for somebody who is not at the screen. Where hr cannot
// see them it says where they are.
func (p *output) told(lines []string) string {
	if p != nil && p.ended == nil && !isTail(p.stderr) {
		where := "hr's standard error"
		if term.IsTerminal(int(p.stderr.Fd())) {
			where = "hr's terminal"
		}
		lines = append(lines, "(what it printed went to "+where+" and not through hr; --ready=log:REGEXP would let hr read it)")
	}
	return strings.Join(lines, "\n")
}

// settle waits until what a program printed before its end is here.
func (p *output) settle() {
	if p == nil || p.ended == nil {
		return
	}
	select {
	case <-p.ended:
	case <-time.After(lateOutput): // a process that it left behind has the pipe
	}
}

func sameFile(a, b *os.File) bool {
	x, err := a.Stat()
	if err != nil {
		return false
	}
	y, err := b.Stat()
	return err == nil && os.SameFile(x, y)
}
