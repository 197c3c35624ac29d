package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/hotreflex/hr/internal/protocol"
)

// This file lets another hr ask this one for something: hr restart, hr stop and
// hr ps. Each running hr listens on a socket beside its report, in a directory
// of the user's own. A connection carries one question and one answer, each a
// line of JSON.

// ask is a question on its way into the loop.
type ask struct {
	Verb string `json:"verb"` // restart, stop or status
	ID   string `json:"id"`   // of the hr that is meant, from its report
	// Until is when whoever asked gives up unheard: nothing is done afterwards.
	Until time.Time       `json:"until"`
	reply chan<- askReply // has room for one
}

// askReply is what comes back.
type askReply struct {
	Alive      bool          `json:"alive,omitempty"` // the answer takes time
	Pid        int           `json:"pid"`             // of the program, 0 without one
	Generation int           `json:"generation"`
	State      string        `json:"state,omitempty"`    // starting, building, running or ended
	Building   bool          `json:"building,omitempty"` // a build is under way, beside the program
	Handover   string        `json:"handover,omitempty"` // as supervisor.Handover gives it
	Took       time.Duration `json:"took,omitempty"`     // of a restart
	Code       int           `json:"code"`               // exit code of an hr that was stopped
	Error      string        `json:"error,omitempty"`
}

// questionTime is for a question of a few bytes from this machine; a client
// that sends nothing must not stay.
const questionTime = 2 * time.Second

// heardTime is how long an hr may say nothing to a question: its loop takes one
// at once, and then it says each second that it lives. maxAsk bounds what is
// said, which has some hundred bytes.
const (
	heardTime = 4 * time.Second
	maxAsk    = 64 << 10
)

// control is the listening end. The runner owns it.
type control struct {
	listener net.Listener
	path     string
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	wg       sync.WaitGroup
}

// controlPath is where the hr of that process id listens. As the daemon's
// socket, it moves to a short directory if its path is too long.
func controlPath(pid int) (string, error) {
	dir, err := sessionsDir()
	if err != nil {
		return "", err
	}
	path, err := protocol.SocketPath(dir) // of a name as long as any of ours
	if err != nil {
		return "", err
	}
	return filepath.Join(filepath.Dir(path), fmt.Sprintf("%d.sock", pid)), nil
}

// listenControl passes questions to asks until Close.
func listenControl(asks chan<- ask) (*control, error) {
	path, err := controlPath(os.Getpid())
	if err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err // else a dead hr of our process id
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	c := &control{listener: l, path: path}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if protocol.CheckPeer(conn) != nil {
				conn.Close() // another user's
				continue
			}
			c.wg.Go(func() { c.serve(conn, asks) })
		}
	})
	return c, nil
}

// serve answers one connection. An answer that the loop has given is sent even
// when hr ends meanwhile: hr stop waits for it.
func (c *control) serve(conn net.Conn, asks chan<- ask) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(questionTime))
	defer context.AfterFunc(c.ctx, func() { conn.SetReadDeadline(time.Now()) })()
	var q ask
	if err := json.NewDecoder(io.LimitReader(conn, maxAsk)).Decode(&q); err != nil {
		return
	}
	reply := make(chan askReply, 1)
	q.reply = reply
	a := askReply{Error: "hr ends"}
	say := func(a askReply) {
		conn.SetDeadline(time.Now().Add(questionTime))
		json.NewEncoder(conn).Encode(a)
	}
	if send(c.ctx, asks, q) {
		quiet := protocol.Beat(func() { say(askReply{Alive: true}) })
		select {
		case a = <-reply:
		case <-c.ctx.Done():
			select {
			case a = <-reply:
			default:
			}
		}
		quiet()
	}
	say(a)
}

// Close stops listening and waits for the answers under way.
func (c *control) Close() {
	if c == nil {
		return
	}
	c.listener.Close() // removes the socket, too
	c.cancel()
	c.wg.Wait()
}

// listen opens the control socket. Without it hr works all the same.
func (r *runner) listen() {
	var err error
	if r.control, err = listenControl(r.asks); err != nil && r.flags.verbose {
		r.c.screen.Notice("hr restart, stop and ps will not find this hr: %v", err)
	}
}

// onAsk does what another hr asked for. Restarts are answered when they are
// through.
func (r *runner) onAsk(q ask) (code int, done bool) {
	if q.ID != r.report.data.ID {
		q.reply <- askReply{Error: "the hr that was meant has ended: another one has its process id"}
		return 0, false
	}
	if time.Now().After(q.Until) {
		q.reply <- askReply{Error: "too late: whoever asked was told that there is no answer"}
		return 0, false
	}
	switch q.Verb {
	case "status":
		a := askReply{State: r.state(), Building: r.building, Handover: r.sup.Handover()}
		if r.gen != nil {
			a.Generation = r.gen.ID
		}
		if r.exited != nil {
			a.Pid = r.gen.Pid
		}
		q.reply <- a
	case "restart":
		if r.running.Path == "" {
			q.reply <- askReply{Error: "there is no program yet: it has not been built"}
			break
		}
		r.waiting = append(r.waiting, q)
		r.rerun([]string{"hr restart"}, time.Now())
	case "stop":
		r.c.screen.Notice("stopped by hr stop")
		code = r.onSignal(syscall.SIGTERM)
		q.reply <- askReply{Code: code}
		return code, true
	default:
		q.reply <- askReply{Error: "unknown verb " + q.Verb + ": this hr is of another build"}
	}
	return 0, false
}

// answer tells those who wait for a restart.
func (r *runner) answer(a askReply) {
	for _, q := range r.waiting {
		q.reply <- a
	}
	r.waiting = nil
}

func (r *runner) state() string {
	switch {
	case r.launch != nil:
		return "starting"
	case r.exited != nil:
		return "running"
	case r.building:
		return "building"
	}
	return "ended"
}

// askHR asks the hr of that report. ctx bounds the wait for its answer; one that
// says nothing at all is given up.
func askHR(ctx context.Context, d *reportData, verb string) (askReply, error) {
	path, err := controlPath(d.Pid)
	if err != nil {
		return askReply{}, err
	}
	dialing, cancel := context.WithTimeout(ctx, heardTime)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(dialing, "unix", path)
	if err != nil {
		return askReply{}, &protocol.Error{Code: protocol.CodeNotFound, Message: fmt.Sprintf("the hr with process id %d does not listen: %v", d.Pid, err), Hint: "hr ps lists those that run"}
	}
	defer conn.Close()
	if err := protocol.CheckPeer(conn); err != nil {
		return askReply{}, err
	}
	until := time.Now().Add(heardTime)
	conn.SetDeadline(until)
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Now()) })()
	if err := json.NewEncoder(conn).Encode(ask{Verb: verb, ID: d.ID, Until: until}); err != nil {
		return askReply{}, unheard(d.Pid, err)
	}
	answers := json.NewDecoder(io.LimitReader(conn, maxAsk*int64(maxBeats)))
	for range maxBeats {
		var a askReply
		if err := answers.Decode(&a); err != nil {
			return a, unheard(d.Pid, err)
		}
		if !a.Alive {
			return a, nil
		}
		if ctx.Err() == nil {
			conn.SetDeadline(time.Now().Add(heardTime))
		}
	}
	return askReply{}, unheard(d.Pid, os.ErrDeadlineExceeded)
}

// maxBeats bounds an answer: no program takes hours until it is ready.
const maxBeats = 3600

func unheard(pid int, err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &protocol.Error{Code: protocol.CodeSilent, Message: fmt.Sprintf("the hr with process id %d does not answer", pid),
			Hint: fmt.Sprintf("is it stopped? kill -CONT %d lets it go on, kill -KILL %d ends it", pid, pid)}
	}
	return fmt.Errorf("ask the hr with process id %d: %w", pid, err)
}
