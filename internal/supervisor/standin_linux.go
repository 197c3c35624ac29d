package supervisor

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// While no generation lives, connections wait in the queues of the held
// sockets. After a while that looks like a hang, so the stand-in accepts them:
// HTTP clients get 503 with the reason, others are closed.

const (
	// standInWait: a restart takes milliseconds and a usual build less than
	// this; who waits longer wants to know why.
	standInWait = 2 * time.Second
	// requestWait is the time a client has to send its request's header.
	requestWait = time.Second
	// requestMax bounds what is read of it; only method and Accept matter.
	requestMax = 8 << 10
	// retryAfter is the Retry-After header, in seconds.
	retryAfter = 1
)

// standIn answers for a program that is not there until the next is started, on
// the held sockets and those that the program takes from its parent.
func (h *handover) standIn(followed <-chan struct{}, more []*os.File, reason func() string) {
	wait := time.NewTimer(standInWait)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-followed:
		return
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return
	}
	fds := []unix.PollFd{{Fd: int32(wake), Events: unix.POLLIN}}
	take := func(fd uintptr) {
		if fd, err := unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0); err == nil {
			unix.SetNonblock(fd, true) // shared by all holders; the next claim sets it anew
			fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
		}
	}
	h.mu.Lock()
	if h.table != nil {
		for _, s := range h.table.sockets {
			take(uintptr(s.fd))
		}
	}
	h.mu.Unlock()
	for _, f := range more {
		take(f.Fd())
	}
	var accepting sync.WaitGroup
	accepting.Go(func() { h.acceptFor(fds, reason) })
	<-followed
	unix.Write(wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	accepting.Wait() // from here on every connection is the program's
	for _, f := range more {
		unix.SetNonblock(int(f.Fd()), false) // as the program expects them
	}
	for _, f := range fds {
		unix.Close(int(f.Fd))
	}
}

// acceptFor accepts on all but the first descriptor, which ends it.
func (h *handover) acceptFor(fds []unix.PollFd, reason func() string) {
	for {
		if _, err := unix.Poll(fds, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
		if fds[0].Revents != 0 {
			return
		}
		for i := range fds[1:] {
			if fds[i+1].Revents == 0 {
				continue
			}
			c, _, err := unix.Accept4(int(fds[i+1].Fd), unix.SOCK_CLOEXEC)
			if err == nil {
				h.wg.Go(func() {
					defer unix.Close(c)
					answerDown(c, reason())
				})
			} else if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.ECONNABORTED) && !errors.Is(err, unix.EINTR) {
				return // out of descriptors: let them wait in the queue
			}
		}
	}
}

// answerDown answers one request on a blocking connection.
func answerDown(c int, reason string) {
	limit := unix.NsecToTimeval(requestWait.Nanoseconds())
	unix.SetsockoptTimeval(c, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit)
	unix.SetsockoptTimeval(c, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &limit)
	deadline := time.Now().Add(requestWait)
	var request []byte
	buf := make([]byte, requestMax)
	for !bytes.Contains(request, []byte("\r\n\r\n")) && len(request) < requestMax && time.Now().Before(deadline) {
		n, err := unix.Read(c, buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			break
		}
		request = append(request, buf[:n]...)
		if !startsLikeHTTP(request) {
			return
		}
	}
	if !startsLikeHTTP(request) {
		return
	}
	response := downResponse(string(request), reason)
	for len(response) > 0 {
		n, err := unix.Write(c, response)
		if err != nil {
			return
		}
		response = response[n:]
	}
	// Without this, unread bytes of a body would turn the answer into a reset.
	unix.Shutdown(c, unix.SHUT_WR)
	for time.Now().Before(deadline) {
		if n, err := unix.Read(c, buf); err != nil || n == 0 {
			return
		}
	}
}

// startsLikeHTTP recognises HTTP/1 by its method, which is all capitals.
func startsLikeHTTP(b []byte) bool {
	method, _, found := bytes.Cut(b[:min(len(b), 16)], []byte(" "))
	if len(method) == 0 || !found && len(b) >= 16 {
		return false
	}
	for _, c := range method {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return string(method) != "PRI" // HTTP/2 without upgrade
}

// downResponse writes the 503 in the form the client prefers.
func downResponse(request, reason string) []byte {
	if reason == "" {
		reason = "the program is not running"
	}
	kind, body := "text/plain; charset=utf-8", reason+"\n"
	for line := range strings.SplitSeq(request, "\r\n") {
		name, value, ok := strings.Cut(line, ":")
		if ok && strings.EqualFold(strings.TrimSpace(name), "Accept") && strings.Contains(value, "text/html") {
			kind = "text/html; charset=utf-8"
			body = "<!doctype html><meta charset=utf-8><title>not running</title><style>body{font:16px/1.5 sans-serif;margin:3em}pre{overflow:auto}</style>" +
				"<h1>The program is not running</h1><pre>" + html.EscapeString(reason) + "</pre>\n"
		}
	}
	header := fmt.Sprintf("HTTP/1.1 503 Service Unavailable\r\nContent-Type: %s\r\nContent-Length: %d\r\nRetry-After: %d\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n", kind, len(body), retryAfter)
	if strings.HasPrefix(request, "HEAD ") {
		body = ""
	}
	return []byte(header + body)
}
