package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestProbeCounts(t *testing.T) {
	var p ports
	addr, err := p.free()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	type end struct {
		answers
		err error
	}
	seen := make(chan end, 1)
	begin := time.Now()
	go func() {
		a, err := probe{addr}.until(ctx, "/page", showing("hello 2"))
		seen <- end{a, err}
	}()
	// Nobody listens for a while; then the first connection is dropped, the
	// second gets the old answer and the third the new one.
	<-time.After(20 * time.Millisecond)
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	var requests atomic.Int32
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := requests.Add(1)
		if n == 1 {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprintf(w, "hello %d %s", n-1, r.URL.Path)
	})}
	go server.Serve(l)
	defer server.Close()
	got := <-seen
	if got.err != nil {
		t.Fatal(got.err)
	}
	if got.refused == 0 || got.dropped != 1 {
		t.Errorf("%d refused, %d dropped, want some and 1", got.refused, got.dropped)
	}
	if !strings.Contains(got.last, "hello 2 /page") || got.at.Before(begin) {
		t.Errorf("last response %q at %v", got.last, got.at)
	}
}

func TestProbeGivesUp(t *testing.T) {
	var p ports
	addr, err := p.free()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := (probe{addr}).until(ctx, "/", serving); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("error %v, want one that counts refusals", err)
	}
}

func TestPortsDiffer(t *testing.T) {
	var p ports
	a, errA := p.free()
	b, errB := p.free()
	if errA != nil || errB != nil || a == b {
		t.Errorf("%s (%v) and %s (%v)", a, errA, b, errB)
	}
}
