package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/spf13/pflag"

	"github.com/hotreflex/hr/internal/protocol"
)

type conn = net.Conn

func newClient(dial func(context.Context) (conn, error)) *protocol.Client {
	return protocol.NewClient(dial)
}

// userClient returns a client of the running daemon.
func userClient() (*protocol.Client, string, error) {
	dir, err := protocol.RunDir()
	if err != nil {
		return nil, "", err
	}
	return newClient(func(ctx context.Context) (conn, error) { return protocol.Dial(ctx, dir) }), dir, nil
}

// stopWait bounds hrd stop: a build in flight is killed at once, and closing the
// store writes a few megabytes.
const stopWait = 10 * time.Second

// stopVerb is hrd stop. It is no error if none runs.
func stopVerb(c *command, args []string) int {
	fs := pflag.NewFlagSet("stop", pflag.ContinueOnError)
	now := fs.Bool("now", false, "end open sessions too, and an hrd that does not answer")
	if code, ok := c.parse(fs, args); !ok {
		return code
	}
	client, _, err := userClient()
	if err != nil {
		return c.fail(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), stopWait)
	defer cancel()
	st, err := client.Status(ctx)
	if errors.Is(err, protocol.ErrAbsent) {
		c.tell(map[string]bool{"stopped": false}, "no hrd is running")
		return exitOK
	}
	if errors.Is(err, protocol.ErrSilent) {
		return stopSilent(c, *now)
	}
	if err != nil {
		return c.fail(err)
	}
	if err := client.Stop(ctx, *now); err != nil {
		return c.fail(err)
	}
	if len(st.Sessions) > 0 && !*now {
		c.tell(map[string]any{"stopped": false, "sessions": len(st.Sessions)}, "hrd ends with its last session; %d open (hrd stop --now ends them)", len(st.Sessions))
		return exitOK
	}
	// Gone is when nobody answers any more.
	for {
		if _, err := client.Hello(ctx); err != nil && ctx.Err() == nil {
			break
		}
		select {
		case <-ctx.Done():
			return c.fail(&protocol.Error{Code: protocol.CodeTimeout, Message: "hrd does not end", Hint: "hrd logs shows what it does"})
		case <-time.After(5 * time.Millisecond): // its sockets close in less than this
		}
	}
	c.tell(map[string]bool{"stopped": true}, "hrd has ended, pid %d", st.Pid)
	return exitOK
}

// silent is the error of a daemon that hangs, with the name of its process.
func silent(pid int) error {
	e := *protocol.ErrSilent
	if pid != 0 {
		e.Message = fmt.Sprintf("hrd, process id %d, does not answer", pid)
		e.Hint = fmt.Sprintf("is it stopped? kill -CONT %d lets it go on, hrd stop --now ends it", pid)
	}
	return &e
}

// peerPid returns the process id of the daemon, 0 if it cannot be known.
func peerPid() int {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // a connect needs no answer
	defer cancel()
	dir, err := protocol.RunDir()
	if err != nil {
		return 0
	}
	conn, err := protocol.Dial(ctx, dir)
	if err != nil {
		return 0
	}
	defer conn.Close()
	return protocol.PeerPid(conn)
}

// stopSilent ends a daemon that does not answer, if it must be now: one that is
// stopped or hangs takes no request and no signal but one.
func stopSilent(c *command, now bool) int {
	pid := peerPid()
	if !now || pid == 0 {
		return c.fail(silent(pid))
	}
	p, err := os.FindProcess(pid)
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		return c.fail(fmt.Errorf("end hrd, process id %d: %w", pid, err))
	}
	c.tell(map[string]any{"stopped": true, "killed": true}, "hrd did not answer and was killed, pid %d", pid)
	return exitOK
}
