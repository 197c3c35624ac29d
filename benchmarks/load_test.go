package main

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"
)

func TestWhole(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
	tests := []struct {
		response string
		ok       bool
	}{
		{head + "hello", true},
		{head + "hel", false},
		{"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", false},
		{"HTTP/1.1 20", false},
		{"", false},
	}
	for _, test := range tests {
		if err := whole(test.response); (err == nil) != test.ok {
			t.Errorf("%q: %v", test.response, err)
		}
	}
}

// Every connection is counted once, in the span that it began in, and nothing is
// refused while somebody listens.
func TestTraffic(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	answer := make(chan string, 1)
	answer <- "one"
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		text := <-answer
		answer <- text
		w.Write([]byte(text))
	})}
	served := make(chan struct{})
	go func() {
		defer close(served)
		server.Serve(l)
	}()
	await := func(tr *traffic, seen <-chan time.Time) {
		t.Helper()
		select {
		case <-seen:
			tr.took(time.Millisecond)
			waitRequests(t, tr) // it may be a connection from before the restart that has seen it
		case <-time.After(20 * time.Second):
			t.Fatal("no client sees the answer")
		}
	}
	tr := newTraffic(probe{l.Addr().String()}, "/")
	await(tr, tr.next("one"))
	seen := tr.next("two")
	<-answer
	answer <- "two"
	await(tr, seen)
	tr.next("three") // is never answered: no sample
	got := tr.end()
	if len(got) != 2 {
		t.Fatalf("%d samples, want 2", len(got))
	}
	for i, v := range got {
		if v[unitRequests] < 1 || v[unitRefused] != 0 || v[unitDropped] != 0 || v[unitLongest] <= 0 {
			t.Errorf("restart %d: %v", i, v)
		}
	}

	server.Shutdown(context.Background())
	<-served
	tr = newTraffic(probe{l.Addr().String()}, "/")
	tr.next("")
	tr.took(time.Millisecond)
	waitRequests(t, tr)
	if got := tr.end(); len(got) != 1 || got[0][unitRefused] != got[0][unitRequests] || got[0][unitRefused] == 0 {
		t.Errorf("nobody listens: %v", got)
	}
}

// waitRequests waits until a connection has ended.
func waitRequests(t *testing.T, tr *traffic) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; <-time.After(time.Millisecond) {
		tr.mu.Lock()
		n := tr.spans[len(tr.spans)-1].requests
		tr.mu.Unlock()
		if n > 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("no connection is made")
		}
	}
}
