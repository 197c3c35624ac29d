package daemon

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/hotreflex/hr/internal/protocol"
)

// TestNamesOfAnotherDaemon: a client whose connections lead to another daemon
// meanwhile, as after an upgrade, finds nothing there under the names that the
// first one gave it.
func TestNamesOfAnotherDaemon(t *testing.T) {
	var to *Local
	client := protocol.NewClient(func(ctx context.Context) (net.Conn, error) { return to.pipe.dial(ctx) })
	var sessions []*protocol.Session
	numbers := map[uint64]bool{0: true}
	for range 2 {
		w := newWorld(t)
		to = w.l
		s, reply, err := client.Open(t.Context(), w.job, protocol.Handler{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if numbers[reply.Number] || reply.Number == 1 {
			t.Errorf("program number %d was given twice, or can be guessed", reply.Number)
		}
		numbers[reply.Number] = true
		sessions = append(sessions, s)
		client.Close() // what comes next needs a new connection
	}
	_, err := sessions[0].Build(t.Context(), protocol.BuildRequest{Seq: 1}, protocol.Handler{})
	if !errors.Is(err, &protocol.Error{Code: protocol.CodeNotFound}) {
		t.Errorf("the other daemon answers %v, want that it knows no such session", err)
	}
	if snap, err := client.Snapshot(t.Context(), sessions[0].ID); !errors.Is(err, &protocol.Error{Code: protocol.CodeNotFound}) {
		t.Errorf("the other daemon has a snapshot %v for it (%v)", snap, err)
	}
}
