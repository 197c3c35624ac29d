package supervisor

import (
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// Generation is one run of the program.
type Generation struct {
	ID      int // counts from 1
	Pid     int
	Started time.Time // when exec succeeded

	process   *os.Process
	begun     chan struct{} // closed when the process is there, or will not be
	done      chan struct{} // closed when the process was waited for; exit is set
	exit      Exit
	hadTerm   bool          // set before done is closed
	ready     chan struct{} // closed by markReady
	isReady   sync.Once
	unready   chan error    // one error: Options.Ready gave up
	heard     chan bool     // a listen on a held socket; true when all held are listened on
	listening chan struct{} // one token: a listen on another socket is about to happen
	killed    chan struct{} // closed by killNow
	isKill    sync.Once
	followed  chan struct{} // closed when the next generation is about to start, or at Close
	isFollow  sync.Once
	watched   chan struct{} // closed when watchReady has returned
	ending    chan struct{} // closed when it is about to be ended
	isEnding  sync.Once
	empty     bool // no process is left; guarded by Supervisor.busy
	answers   answers
	descent   // what the operating system knows of its descendants
}

func newGeneration(id int) *Generation {
	return &Generation{
		ID:        id,
		begun:     make(chan struct{}),
		done:      make(chan struct{}),
		ready:     make(chan struct{}),
		killed:    make(chan struct{}),
		heard:     make(chan bool, 1),
		listening: make(chan struct{}, 1),
		followed:  make(chan struct{}),
		watched:   make(chan struct{}),
		ending:    make(chan struct{}),
		unready:   make(chan error, 1),
	}
}

// Done is closed when the program has exited. Its descendants may live on
// until Stop or Replace.
func (g *Generation) Done() <-chan struct{} { return g.done }

// Ready is closed when the program listens, or has had its time to. It is not
// closed for one that exits before.
func (g *Generation) Ready() <-chan struct{} { return g.ready }

// Exit tells how the program ended; it is the zero Exit before Done.
func (g *Generation) Exit() Exit {
	if !g.over() {
		return Exit{}
	}
	return g.exit
}

// Answered tells, after Done, whether the program sent a byte to a client of a
// TCP socket that is kept between generations. known is false where the system
// does not tell, and for a program that listens on no such socket. It counts
// for Options.Trial after it became ready.
func (g *Generation) Answered() (answered, known bool) { return g.answers.any() }

// HasAnswered is Answered of a program that still runs: whether it has sent a
// byte to a client until now. It takes some milliseconds where it has not.
func (g *Generation) HasAnswered() bool { return g.answers.already() }

// HadTerminal says, after Done, whether the program had the terminal to itself
// when it ended: then a Ctrl-C was for it and is not known here otherwise.
func (g *Generation) HadTerminal() bool { return g.over() && g.hadTerm }

func (g *Generation) over() bool {
	select {
	case <-g.done:
		return true
	default:
		return false
	}
}

func (g *Generation) beginEnd() {
	g.isEnding.Do(func() { close(g.ending) })
	g.answers.stop()
}

func (g *Generation) follow() {
	g.isFollow.Do(func() { close(g.followed) })
	g.answers.stop()
}

func (g *Generation) markReady() { g.isReady.Do(func() { close(g.ready) }) }

// listens reports a listen on a held socket. Only the newest word counts.
func (g *Generation) listens(complete bool) {
	for {
		select {
		case g.heard <- complete:
			return
		default:
		}
		select {
		case old := <-g.heard:
			complete = complete || old
		default:
		}
	}
}

// killNow makes the stop ladder skip its grace, and kills even without one.
func (g *Generation) killNow() {
	g.isKill.Do(func() { close(g.killed) })
	if !g.over() {
		g.killAll()
	}
}

// Exit is the end of a program.
type Exit struct {
	Code   int       // exit code, -1 when ended by a signal
	Signal os.Signal // nil unless ended by a signal
	At     time.Time // when that was
}

// Status is the code a shell would show: 128+n for signal n.
func (e Exit) Status() int {
	if n, ok := e.Signal.(syscall.Signal); ok {
		return 128 + int(n)
	}
	return e.Code
}

func (e Exit) String() string {
	if e.Signal != nil {
		return fmt.Sprintf("signal: %v", e.Signal)
	}
	return fmt.Sprintf("exit status %d", e.Code)
}

// Timing is where the time of one Replace went.
type Timing struct {
	Drain time.Duration `json:"drain"` // waiting for requests of the old generation
	Stop  time.Duration `json:"stop"`  // from the stop signal until no old process was left
	Start time.Duration `json:"start"` // fork and exec
	Ready time.Duration `json:"ready"` // from exec until ready
}

func (t Timing) String() string {
	return fmt.Sprintf("drain %v, stop %v, start %v, ready %v", t.Drain, t.Stop, t.Start, t.Ready)
}
