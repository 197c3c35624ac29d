package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"
)

// probe asks a program over and over, each time on a new connection, as the
// next click of a user would be.
type probe struct {
	addr string
}

// answers is what the requests of one wait met.
type answers struct {
	at      time.Time // when the response that was waited for was read whole
	refused int       // connections refused: nobody listened
	dropped int       // connections that ended without a response
	last    string    // the last response
}

const (
	// pollInterval is the resolution of every time here, half of a millisecond,
	// at a load of a few percent of one core.
	pollInterval = 500 * time.Microsecond
	// answerLimit is how long one request may wait: for a program whose socket
	// is kept open for it while it is built and started.
	answerLimit = 20 * time.Second
)

// until asks for path until a response is accepted.
func (p probe) until(ctx context.Context, path string, accept func(response string) bool) (answers, error) {
	var a answers
	request := p.request(path)
	for {
		response, err := p.ask(ctx, request)
		now := time.Now()
		switch {
		case err == nil && response != "":
			a.last = response
			if accept(response) {
				a.at = now
				return a, nil
			}
		case errors.Is(err, syscall.ECONNREFUSED):
			a.refused++
		default:
			a.dropped++
		}
		if ctx.Err() != nil {
			return a, fmt.Errorf("%d connections refused, %d dropped\nlast response: %q", a.refused, a.dropped, short(a.last))
		}
		time.Sleep(pollInterval)
	}
}

// request is one that asks the server to close.
func (p probe) request(path string) []byte {
	return []byte("GET " + path + " HTTP/1.1\r\nHost: " + p.addr + "\r\nConnection: close\r\n\r\n")
}

// ask makes one request and reads until the server closes.
func (p probe) ask(ctx context.Context, request []byte) (string, error) {
	d := net.Dialer{Timeout: answerLimit}
	conn, err := d.DialContext(ctx, "tcp", p.addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(answerLimit))
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Now()) })
	defer stop()
	if _, err := conn.Write(request); err != nil {
		return "", err
	}
	data, err := io.ReadAll(io.LimitReader(conn, 1<<20))
	return string(data), err
}

// gone waits until nobody listens.
func (p probe) gone(ctx context.Context) error {
	for {
		conn, err := net.Dial("tcp", p.addr)
		if err != nil {
			return nil
		}
		conn.Close()
		select {
		case <-ctx.Done():
			return fmt.Errorf("something still listens on %s", p.addr)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// showing accepts a response that holds the text.
func showing(text string) func(string) bool {
	return func(response string) bool { return strings.Contains(response, text) }
}

// serving accepts any HTTP response.
func serving(response string) bool { return strings.HasPrefix(response, "HTTP/1.") }

func short(s string) string {
	if len(s) > 300 {
		return s[:300] + "..."
	}
	return s
}

// firstPort lies below the range that the kernel takes for outgoing connections
// (net.ipv4.ip_local_port_range, 32768 and up): a probe of a port of that range
// can meet itself.
const firstPort = 21000

// ports hands out free loopback addresses.
type ports struct{ next int }

func (p *ports) free() (string, error) {
	if p.next == 0 {
		p.next = firstPort
	}
	for ; p.next < firstPort+1000; p.next++ {
		addr := fmt.Sprintf("127.0.0.1:%d", p.next)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		l.Close()
		p.next++
		return addr, nil
	}
	return "", errors.New("no free port on the loopback interface")
}
