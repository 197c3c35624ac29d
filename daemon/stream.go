package daemon

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/hotreflex/hr/internal/exact"
	"github.com/hotreflex/hr/internal/protocol"
)

// maxRequest bounds a request: a client's environment is at most a few hundred
// kilobytes (execve's limit is 2 MB on Linux).
const maxRequest = 8 << 20

// clientTime is how long a client may take to send its request, and to take a
// line of the answer: a front end that was stopped must not hold up the builds of
// others. It opens another session when it goes on.
const clientTime = 10 * time.Second

// stream writes events as JSON lines.
type stream struct {
	job string // digest of what all of it is about

	mu     sync.Mutex // guards fields below: hooks are called by other goroutines
	w      http.ResponseWriter
	closed bool // the request is over, and w with it, or the client takes nothing
}

func newStream(w http.ResponseWriter, job string) *stream {
	w.Header().Set("Content-Type", "application/x-ndjson")
	return &stream{job: job, w: w}
}

// send writes one line at once. A client that left is found by its context.
func (s *stream) send(e protocol.Event) {
	e.For = s.job
	data, err := exact.Marshal(e)
	if err != nil {
		return // our own types: always marshal
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	rc := http.NewResponseController(s.w)
	rc.SetWriteDeadline(time.Now().Add(clientTime)) // where there is none, nothing blocks
	if _, err := s.w.Write(append(data, '\n')); err != nil || rc.Flush() != nil {
		s.closed = true
	}
}

func (s *stream) alive() { s.send(protocol.Event{Alive: true}) }

// close ends the use of the ResponseWriter, which net/http takes back: a build
// may go on after the client that asked for it has left.
func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

// readJSON reads a request.
func readJSON(w http.ResponseWriter, r *http.Request, v any) error {
	rc := http.NewResponseController(w)
	rc.SetReadDeadline(time.Now().Add(clientTime))
	defer rc.SetReadDeadline(time.Time{}) // what is read from now on is that it left
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err == nil {
		err = exact.Unmarshal(data, v)
	}
	if err != nil {
		return &protocol.Error{Code: protocol.CodeUsage, Message: fmt.Sprintf("read request: %v", err)}
	}
	return nil
}

func writeJSON(w http.ResponseWriter, v any) error {
	data, err := exact.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(data) // a client that left does not read it
	return nil
}

func writeError(w http.ResponseWriter, e *protocol.Error) {
	status := http.StatusInternalServerError
	switch e.Code {
	case protocol.CodeUsage:
		status = http.StatusBadRequest
	case protocol.CodeNotFound:
		status = http.StatusNotFound
	case protocol.CodeBuild:
		status = http.StatusUnprocessableEntity
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	data, _ := exact.Marshal(e) // strings alone always marshal
	w.Write(data)               // a client that left does not read it
}
