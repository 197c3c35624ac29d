package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestParseReady(t *testing.T) {
	for word, ok := range map[string]bool{
		"": true, "tcp": true, "tcp:80": true, "http://localhost:80/x": true, "https://h/": true, `log:^listening on \d+`: true, "log:a:b": true,
		"tcp:": false, "tcp:0": false, "tcp:70000": false, "http://": false, "log:": false, "log:(": false, "soon": false, "ftp://x": false,
	} {
		r, err := parseReady(word)
		if (err == nil) != ok {
			t.Errorf("%q: %v", word, err)
		}
		if ok && r.explicit() != (word != "") {
			t.Errorf("%q: explicit %v", word, r.explicit())
		}
	}
}

func TestReadyURL(t *testing.T) {
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Location", "/nowhere")
		w.WriteHeader(http.StatusFound)
	}))
	defer s.Close()
	ready, err := parseReady(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := ready.wait(nil)(ctx, nil); err != nil || asked.Load() != 3 {
		t.Errorf("%v after %d questions, want the third to do", err, asked.Load())
	}
	missing, _ := parseReady(s.URL + "/x")
	asked.Store(-1 << 30)
	short, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := missing.wait(nil)(short, nil); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("a server that is not ready: %v", err)
	}
}
