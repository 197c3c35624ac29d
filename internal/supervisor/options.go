package supervisor

import (
	"context"
	"os"
	"time"
)

// Spec says what to run.
type Spec struct {
	Path string   // the program's file
	Args []string // argv, with argv[0]; empty means Path alone
	Dir  string   // "" is the supervisor's own directory
	Env  []string // nil is the supervisor's own environment; HR_GENERATION is added

	// The files are the program's own; nil is the null device.
	Stdin, Stdout, Stderr *os.File
}

// Options configures a Supervisor. The zero value is usable.
type Options struct {
	StopSignal os.Signal     // asks the program to end; nil is SIGTERM
	Grace      time.Duration // from StopSignal to SIGKILL; 0 is 3 s

	// ReadyTimeout bounds the wait for a listening socket. 0 is 2 s for a first
	// generation, 10 s after one that listened, and 50 ms after one that did not.
	ReadyTimeout time.Duration

	// Handover "off" frees the program's ports between two generations. "" and
	// "auto" keep its TCP listening sockets open, where the system can, so that
	// connections wait instead of being refused; see Supervisor.Handover.
	Handover string
	// Overlap starts the next generation before the last is stopped, when
	// sockets are held; a program that cannot run twice is started after all.
	Overlap bool

	// Sockets are addresses (host:port, :port, unix:path) to listen on for a
	// program that takes its sockets from its parent: it gets LISTEN_FDS,
	// LISTEN_PID and LISTEN_FDNAMES, and argv[0] is Spec.Path. Unix only.
	Sockets []string

	// Ready replaces the look for a listening socket: a generation is ready
	// when it returns nil. ctx ends with the generation or with ReadyTimeout,
	// which is 10 s then; an error ends the wait of Replace.
	Ready func(ctx context.Context, g *Generation) error

	// Trial is how long after it became ready a generation is watched for
	// Generation.Answered. 0 is not at all.
	Trial time.Duration

	// Details says which HTTP clients may read why no generation lives: "" and
	// "loopback" those on this machine that nobody passed on, "all", or "off" for
	// nobody. The others are told the bare fact.
	Details string

	// FirstID numbers the first generation; 0 is 1. Orphans are told apart by the
	// numbers, so several supervisors of one process must not share any.
	FirstID int

	// Terminal lets the program have the terminal on standard input when it
	// reads it or changes its modes. Meanwhile Ctrl-C and Ctrl-\ reach the
	// program only (see Generation.HadTerminal), and nobody else may read it.
	Terminal bool
	// OnTerminal is called with true before the program gets the terminal, and
	// with false when it is back with its modes restored. It must not block.
	OnTerminal func(program bool)

	// Log receives one-line notices for the user. nil discards them.
	Log func(format string, args ...any)

	seams seams
}

// seams lets tests have what a system forbids.
type seams struct {
	noGetfd bool // descriptors of other processes cannot be taken
}

const (
	// defaultGrace: http.Server.Shutdown of a development server ends well
	// within it, and a program that hangs does not hold the user up for long.
	defaultGrace = 3 * time.Second
	// killWait bounds the wait after SIGKILL: a process in uninterruptible sleep
	// (a dead NFS server) does not end, and holds no address. The others need
	// some milliseconds of a processor, which takes seconds on a machine that
	// has twenty to do for each.
	killWait = 10 * time.Second
	// sweepInterval is between two looks at whether held sockets are in use; a
	// look costs two system calls per socket.
	sweepInterval = time.Second
)
