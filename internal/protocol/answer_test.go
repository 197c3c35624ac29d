package protocol

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/order"
)

// TestOtherAnswer: nothing is taken that is about another job or request.
func TestOtherAnswer(t *testing.T) {
	ours := order.Job{Dir: "/a", Env: []string{"A=1"}, Package: []string{"."}}
	for name, other := range map[string]order.Job{
		"directory":   {Dir: "/b", Env: ours.Env, Package: ours.Package},
		"target":      {Dir: "/a", Env: ours.Env, Package: []string{"./cmd"}},
		"environment": {Dir: "/a", Env: []string{"A=2"}, Package: ours.Package},
		"flags":       {Dir: "/a", Env: ours.Env, Flags: []string{"."}},
		"profile":     {Dir: "/a", Env: ours.Env, Package: ours.Package, Plain: true},
	} {
		for kind, e := range map[string]Event{
			"reply":    {For: other.Digest(), Reply: &Reply{Seq: 1, Outcome: &order.Outcome{}}},
			"failure":  {For: other.Digest(), Failed: &Failure{Seq: 1, Cause: &Error{Code: CodeBuild, Message: "no"}}},
			"program":  {For: other.Digest(), Built: &order.Artifact{Path: "/p"}},
			"snapshot": {For: other.Digest(), Snapshot: &graph.Snapshot{}},
			"request":  {For: ours.Digest(), Reply: &Reply{Seq: 2, Outcome: &order.Outcome{}}},
			"error":    {For: ours.Digest(), Failed: &Failure{Seq: 2, Cause: &Error{Code: CodeBuild, Message: "no"}}},
		} {
			data, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			reply, err := newEvents(strings.NewReader(string(data)+"\n"), ours.Digest()).wait(Handler{
				Built:    func(order.Artifact) { t.Errorf("%s of another %s was taken", kind, name) },
				Snapshot: func(*graph.Snapshot) { t.Errorf("%s of another %s was taken", kind, name) },
			}, 1)
			if reply != nil || !errors.Is(err, ErrOther) {
				t.Errorf("%s of another %s: %v, %v", kind, name, reply, err)
			}
		}
	}
}
