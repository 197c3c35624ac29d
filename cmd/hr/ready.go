package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hotreflex/hr/internal/supervisor"
)

// readiness is --ready: what makes a generation ready. The zero value leaves it
// to the supervisor, which looks for a listening socket.
type readiness struct {
	tcp  bool // a listening socket, and nothing less
	port int
	url  string
	log  *regexp.Regexp
}

const (
	// askFirst is the first wait between two questions: servers start in
	// milliseconds. It grows by a quarter up to askMost, so that the answer is
	// late by a quarter of the time the program took anyway.
	askFirst = time.Millisecond
	askMost  = 50 * time.Millisecond
)

// parseReady reads a URL, tcp, tcp:PORT or log:REGEXP.
func parseReady(word string) (readiness, error) {
	kind, rest, _ := strings.Cut(word, ":")
	switch {
	case word == "":
		return readiness{}, nil
	case word == "tcp":
		return readiness{tcp: true}, nil
	case kind == "tcp":
		port, err := strconv.ParseUint(rest, 10, 16)
		if err != nil || port == 0 {
			return readiness{}, fmt.Errorf("%q is no port", rest)
		}
		return readiness{port: int(port)}, nil
	case kind == "log":
		re, err := regexp.Compile(rest)
		if err == nil && rest == "" {
			err = errors.New("the expression is empty")
		}
		return readiness{log: re}, err
	case kind == "http" || kind == "https":
		u, err := url.Parse(word)
		if err == nil && u.Host == "" {
			err = errors.New("the URL names no host")
		}
		return readiness{url: word}, err
	}
	return readiness{}, errors.New("this is none of them")
}

// explicit tells that the user said what ready means.
func (r readiness) explicit() bool { return r.asks() || r.tcp }

// asks tells that hr itself finds out, and not the supervisor.
func (r readiness) asks() bool { return r.port != 0 || r.url != "" || r.log != nil }

// wait is supervisor.Options.Ready, nil where the supervisor looks itself.
func (r readiness) wait(o *outputs) func(ctx context.Context, g *supervisor.Generation) error {
	switch {
	case r.log != nil:
		return func(ctx context.Context, _ *supervisor.Generation) error {
			select {
			case <-o.matched():
				return nil
			case <-ctx.Done():
				return fmt.Errorf("no line of its output matches %s", r.log)
			}
		}
	case r.port != 0:
		return func(ctx context.Context, g *supervisor.Generation) error {
			return again(ctx, func() error {
				if !g.ListensOn(ctx, r.port) {
					return fmt.Errorf("it does not listen on port %d", r.port)
				}
				return nil
			})
		}
	case r.url != "":
		return func(ctx context.Context, _ *supervisor.Generation) error {
			client := &http.Client{
				Transport:     &http.Transport{DisableKeepAlives: true},
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			}
			return again(ctx, func() error { return get(ctx, client, r.url) })
		}
	}
	return nil
}

// again asks until the answer is nil; when ctx ends, the last answer is why.
func again(ctx context.Context, question func() error) error {
	var why error
	wait := askFirst
	for {
		err := question()
		if err == nil {
			return nil
		}
		if ctx.Err() == nil || why == nil {
			why = err
		}
		select {
		case <-ctx.Done():
			return why
		case <-time.After(wait):
			wait = min(wait*5/4, askMost)
		}
	}
}

// get is nil for an answer below 400.
func get(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode >= 400 {
		return fmt.Errorf("%s answers %s", url, resp.Status)
	}
	return nil
}
