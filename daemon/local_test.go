package daemon

import (
	"context"
	"net"
	"sync"

	"github.com/hotreflex/hr/internal/protocol"
)

// Local is a daemon inside this process: the same code over a pipe.
type Local struct {
	d      *Daemon
	pipe   *pipeListener
	wg     sync.WaitGroup
	client *protocol.Client
}

// NewLocal starts one. Its store is in memory: it may not touch the store of a
// daemon that could be running.
func NewLocal(opt Options) (*Local, error) {
	opt.InMemory, opt.Idle, opt.Vanished = true, 0, nil
	d, err := New(opt)
	if err != nil {
		return nil, err
	}
	l := &Local{d: d, pipe: newPipeListener()}
	l.client = protocol.NewClient(l.pipe.dial)
	l.wg.Go(func() { d.Serve(l.pipe) })
	return l, nil
}

// Client returns the client of this daemon.
func (l *Local) Client() *protocol.Client { return l.client }

// Close ends it and waits for its builds.
func (l *Local) Close() error {
	l.client.Close()
	l.pipe.Close()
	err := l.d.Close()
	l.wg.Wait()
	return err
}

// pipeListener is a listener whose connections never leave the process.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{} // closed by Close
	once  sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (p *pipeListener) dial(ctx context.Context) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipeListener) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }
