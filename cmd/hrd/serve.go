package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"time"

	"github.com/spf13/pflag"

	"github.com/hotreflex/hr/daemon"
	"github.com/hotreflex/hr/internal/printable"
	"github.com/hotreflex/hr/internal/protocol"
)

const (
	// defaultIdle is how long hrd stays without a session: a lunch break. The
	// store makes a later start as good as warm.
	defaultIdle = 30 * time.Minute
	// memoryLimit makes the collector work harder before the daemon grows
	// beyond it: four linked programs of 60 to 250 MB fit.
	memoryLimit = 1 << 30
)

// serveVerb is hrd serve.
func serveVerb(c *command, args []string) int {
	fs := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	idle := fs.Duration("idle", defaultIdle, "leave after so long without a session; 0 stays")
	background := fs.Bool("background", false, "used by hr and hrd start")
	fs.MarkHidden("background")
	private := fs.String(protocol.PrivateFlag, "", "used by hr --no-daemon")
	fs.MarkHidden(protocol.PrivateFlag)
	if code, ok := c.parse(fs, args); !ok {
		return code
	}
	if *background {
		// Our parent waits for a word, and the terminal is not ours.
		signal.Ignore(os.Interrupt)
	}
	var err error
	if *private != "" {
		err = serve(*private, 0, true)
	} else if dir, dirErr := protocol.RunDir(); dirErr != nil {
		err = dirErr
	} else {
		err = serve(dir, *idle, false)
	}
	if err != nil {
		protocol.Ready(err)
		return c.fail(err)
	}
	return exitOK
}

// serve serves in a run directory. A private daemon shares nothing with the
// user's: its store is in memory, and it leaves with its client.
func serve(dir string, idle time.Duration, private bool) error {
	debug.SetMemoryLimit(memoryLimit)
	logger := log.New(os.Stderr, "", log.LstdFlags|log.Lmicroseconds)
	l, err := protocol.Listen(dir)
	if err != nil {
		if errors.Is(err, protocol.ErrRunning) {
			return &protocol.Error{Code: protocol.CodeRunning, Message: "another hrd is running", Hint: "hrd status shows it, hrd stop ends it"}
		}
		return err
	}
	defer l.Close()
	opt, err := daemon.UserOptions()
	if err != nil {
		return err
	}
	opt.Release = func() { l.Close() }
	opt.RunDir, opt.Idle, opt.Vanished, opt.InMemory = dir, idle, l.Vanished, private
	opt.Log = func(format string, args ...any) { logger.Print(printable.Sprintf(format, args...)) }
	d, err := daemon.New(opt)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), stopSignals...)
	defer stop()
	if private {
		signal.Ignore(os.Interrupt) // the terminal's is for hr, which ends us
		var left context.CancelFunc
		ctx, left = context.WithCancel(ctx)
		go untilEOF(left) // ends with this process, or before it
	}
	release := context.AfterFunc(ctx, func() { d.Drain(true) })
	defer release()
	logger.Printf("hrd %s serves in %s", protocol.Version(), dir)
	protocol.Ready(nil)
	err = d.Serve(l)
	// The store goes before the socket: whoever takes our place wants it.
	err = errors.Join(err, d.Close())
	l.Close()
	return err
}

// untilEOF calls left when standard input ends: the client has closed it, or died.
func untilEOF(left func()) {
	io.Copy(io.Discard, os.Stdin)
	left()
}

// startVerb is hrd start.
func startVerb(c *command, args []string) int {
	fs := pflag.NewFlagSet("start", pflag.ContinueOnError)
	if code, ok := c.parse(fs, args); !ok {
		return code
	}
	dir, err := protocol.RunDir()
	if err != nil {
		return c.fail(err)
	}
	exe, err := os.Executable()
	if err != nil {
		return c.fail(fmt.Errorf("find own executable: %w", err))
	}
	client := newClient(func(ctx context.Context) (conn, error) {
		return protocol.Ensure(ctx, dir, protocol.SpawnOptions{Exe: exe, Args: []string{"serve", "--background"}, Env: os.Environ()})
	})
	defer client.Close()
	h, err := client.Hello(context.Background())
	if err != nil {
		return c.fail(err)
	}
	c.tell(h, "hrd %s is ready, pid %d", h.Version, h.Pid)
	return exitOK
}
