package main

import (
	"testing"
	"time"

	"github.com/hotreflex/hr/internal/order"
)

// TestAskOfAnother: an hr that got the process id of the one that was meant
// does nothing.
func TestAskOfAnother(t *testing.T) {
	r := &runner{report: newReport(order.Job{Dir: "/a"})}
	for _, verb := range []string{"stop", "restart", "status"} {
		reply := make(chan askReply, 1)
		if code, done := r.onAsk(ask{Verb: verb, Until: time.Now().Add(time.Minute), ID: newReport(order.Job{Dir: "/a"}).data.ID, reply: reply}); code != 0 || done {
			t.Errorf("%s of another hr was done", verb)
		}
		if a := <-reply; a.Error == "" {
			t.Errorf("%s of another hr was answered: %+v", verb, a)
		}
	}
}

// TestAskTooLate: an hr that was stopped and goes on does nothing for those who
// were told that it does not answer.
func TestAskTooLate(t *testing.T) {
	r := &runner{report: newReport(order.Job{Dir: "/a"})}
	for _, verb := range []string{"stop", "restart"} {
		reply := make(chan askReply, 1)
		if code, done := r.onAsk(ask{Verb: verb, ID: r.report.data.ID, Until: time.Now().Add(-time.Millisecond), reply: reply}); code != 0 || done {
			t.Errorf("%s was done too late", verb)
		}
		if a := <-reply; a.Error == "" {
			t.Errorf("%s was answered too late: %+v", verb, a)
		}
	}
}
