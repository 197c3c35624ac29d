package protocol

import (
	"context"
	"fmt"
	"net"
	"os"
)

// PrivateFlag is the flag of hrd serve that makes it one client's own: it serves
// in the directory of its value and leaves when its standard input ends, which is
// when that client closes it or is gone.
const PrivateFlag = "private"

// Private is a daemon of this process alone, with nothing in common with the
// user's but the code: for --no-daemon, and where the user's cannot be had.
type Private struct {
	dir  string
	life *os.File // the other end is its standard input
}

// StartPrivate starts one in a directory of its own and returns when it is ready.
func StartPrivate(ctx context.Context, exe string, env []string) (*Private, error) {
	dir, err := os.MkdirTemp(shortRoot(), "hr-private-") // 0700, a name that nobody guesses
	if err != nil {
		dir, err = os.MkdirTemp("", "hr-private-")
	}
	if err != nil {
		return nil, fmt.Errorf("start hrd: %w", err)
	}
	p := &Private{dir: dir}
	ours, theirs, err := os.Pipe()
	if err != nil {
		p.Close()
		return nil, fmt.Errorf("start hrd: %w", err)
	}
	defer ours.Close()
	p.life = theirs
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	spawn := SpawnOptions{Exe: exe, Args: []string{"serve", "--" + PrivateFlag + "=" + dir}, Env: env, Stdin: ours}
	if err := start(ctx, dir, spawn); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Dial connects to it.
func (p *Private) Dial(ctx context.Context) (net.Conn, error) { return Dial(ctx, p.dir) }

// Close lets it end, and removes its directory.
func (p *Private) Close() {
	if p.life != nil {
		p.life.Close()
	}
	os.RemoveAll(p.dir)
}
