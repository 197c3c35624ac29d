package main

import (
	"testing"

	"github.com/hotreflex/hr/internal/engine"
)

// TestAskOfAnother: an hr that got the process id of the one that was meant
// does nothing.
func TestAskOfAnother(t *testing.T) {
	r := &runner{report: newReport(engine.Job{Dir: "/a"})}
	for _, verb := range []string{"stop", "restart", "status"} {
		reply := make(chan askReply, 1)
		if code, done := r.onAsk(ask{Verb: verb, ID: newReport(engine.Job{Dir: "/a"}).data.ID, reply: reply}); code != 0 || done {
			t.Errorf("%s of another hr was done", verb)
		}
		if a := <-reply; a.Error == "" {
			t.Errorf("%s of another hr was answered: %+v", verb, a)
		}
	}
}
