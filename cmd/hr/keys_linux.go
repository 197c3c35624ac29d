package main

import (
	"os"
	"os/signal"
	"sync"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// keys reads single keys from the terminal on standard input while it is hr's.
//
// The terminal gives them without a return key then, and is otherwise as it
// was: signals and output work, and echo stays on, so that a program that notes
// the modes, asks for a password and restores what it noted loses nothing
// but line editing. The modes come only once the program has started: a prompt
// at its start meets the terminal as it is without hr. The program gets the
// terminal with its own modes, and hr reads nothing meanwhile.
type keys struct {
	pressed chan byte // unbuffered: closed by nobody, nil without keys

	fd          int
	wakeR, wake *os.File // a pipe: look at the state below
	cont        chan os.Signal
	closing     chan struct{}
	wg          sync.WaitGroup

	mu    sync.Mutex // guards fields below
	on    bool       // begin was called
	lent  bool       // the program has the terminal
	saved *unix.Termios
}

// backgroundLook is how often hr looks whether a shell has put it into the
// foreground, which it may do without a signal, in milliseconds.
const backgroundLook = 1000

// newKeys returns keys that read nothing where there is no terminal of our own.
func newKeys(wanted bool) *keys {
	k := &keys{fd: int(os.Stdin.Fd())}
	if !wanted || !term.IsTerminal(k.fd) {
		return k
	}
	if _, err := unix.IoctlGetInt(k.fd, unix.TIOCGPGRP); err != nil {
		return k // not our controlling terminal: the program could not be told from us
	}
	var err error
	if k.wakeR, k.wake, err = os.Pipe(); err != nil {
		return k
	}
	k.pressed, k.closing = make(chan byte), make(chan struct{})
	k.cont = make(chan os.Signal, 1)
	notify(k.cont, unix.SIGCONT) // the shell has set its own modes meanwhile
	k.wg.Go(k.read)
	k.wg.Go(func() {
		for {
			select {
			case <-k.cont:
				k.look()
			case <-k.closing:
				return
			}
		}
	})
	return k
}

// begin turns the keys on. It may be called again.
func (k *keys) begin() {
	if k.pressed == nil {
		return
	}
	k.mu.Lock()
	was := k.on
	k.on = true
	k.mu.Unlock()
	if !was {
		k.look()
	}
}

// lend is told when the program gets the terminal and when it is back.
func (k *keys) lend(program bool) {
	if k.pressed == nil {
		return
	}
	k.mu.Lock()
	k.lent = program
	if program {
		k.restore()
	}
	k.mu.Unlock()
	k.look()
}

// close gives the terminal back as it was.
func (k *keys) close() {
	if k.pressed == nil {
		return
	}
	signal.Stop(k.cont)
	close(k.closing)
	k.look()
	k.wg.Wait()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.restore()
	k.wake.Close()
	k.wakeR.Close()
}

func (k *keys) look() { k.wake.Write([]byte{0}) }

// read is the keys' goroutine.
func (k *keys) read() {
	wake := make([]byte, 64) // as many looks as may be asked for at once
	for {
		k.mu.Lock()
		listening := k.on && !k.lent && k.foreground() && k.prepare()
		fds := []unix.PollFd{{Fd: int32(k.wakeR.Fd()), Events: unix.POLLIN}}
		timeout := -1
		if listening {
			fds = append(fds, unix.PollFd{Fd: int32(k.fd), Events: unix.POLLIN})
		} else if k.on && !k.lent {
			timeout = backgroundLook
		}
		k.mu.Unlock()
		if _, err := unix.Poll(fds, timeout); err != nil && err != unix.EINTR {
			return
		}
		select {
		case <-k.closing:
			return
		default:
		}
		if fds[0].Revents != 0 {
			k.wakeR.Read(wake)
			continue
		}
		if !listening || fds[1].Revents == 0 {
			continue
		}
		key, ok := k.one()
		if !ok {
			return // the terminal is gone
		}
		if key == 0 {
			continue
		}
		select {
		case k.pressed <- key:
		case <-k.closing:
			return
		}
	}
}

// one reads a key that is there, 0 if the terminal is the program's now.
func (k *keys) one() (key byte, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.lent || !k.foreground() {
		return 0, true
	}
	var buf [1]byte
	n, err := unix.Read(k.fd, buf[:])
	if err == unix.EINTR || err == unix.EAGAIN {
		return 0, true
	}
	if n == 0 || err != nil {
		return 0, false
	}
	if buf[0] >= ' ' {
		unix.Write(k.fd, []byte("\b \b")) // take its echo back
	}
	return buf[0], true
}

// foreground tells whether the terminal serves our group. Anybody else who
// reads it or changes its modes is stopped.
func (k *keys) foreground() bool {
	group, err := unix.IoctlGetInt(k.fd, unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// prepare makes the terminal give single keys; the caller holds mu.
func (k *keys) prepare() bool {
	now, err := unix.IoctlGetTermios(k.fd, unix.TCGETS)
	if err != nil {
		return false
	}
	if now.Lflag&unix.ICANON == 0 {
		return true
	}
	k.saved = now
	single := *now
	single.Lflag &^= unix.ICANON
	single.Cc[unix.VMIN], single.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(k.fd, unix.TCSETS, &single) == nil
}

// restore undoes prepare; the caller holds mu.
func (k *keys) restore() {
	if k.saved != nil && k.foreground() {
		unix.IoctlSetTermios(k.fd, unix.TCSETS, k.saved)
		k.saved = nil
	}
}
