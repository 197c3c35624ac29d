package protocol

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/hotreflex/hr/astcheck"
	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/order"
)

// streams are what a daemon says, one for each kind of event.
func streams(t testing.TB) [][]byte {
	t.Helper()
	snap := &graph.Snapshot{
		Target: "example.com/app", Dir: "/app",
		Packages: map[string]*graph.Package{
			"example.com/app": {Path: "example.com/app", Dir: "/app", Local: true, Imports: []string{"fmt"},
				Files:    map[string]*graph.File{"/app/main.go": {Path: "/app/main.go", Kind: graph.Go, Hash: "x", Check: &astcheck.Precheck{}}},
				Listings: []*graph.Listing{{Dir: "/app"}}},
			"fmt": {Path: "fmt", Fixed: true, Std: true},
		},
		Inputs: map[string]*graph.File{"/app/go.mod": {Path: "/app/go.mod", Kind: graph.Module}},
		Absent: []string{"/app/go.sum"}, Roots: []string{"/app"},
	}
	out := &order.Outcome{Artifact: order.Artifact{Key: "k", Path: "/p"}, Fallback: "first build"}
	var all [][]byte
	var whole bytes.Buffer
	for _, e := range []Event{
		{Session: "1"}, {Progress: &Progress{Done: 1, All: 2}}, {Built: &out.Artifact}, {Snapshot: snap},
		{Failed: &Failure{Seq: 1, Cause: &Error{Code: CodeBuild, Message: "no"}, Outcome: out}},
		{Reply: &Reply{Seq: 1, Number: 1, Outcome: out}},
	} {
		e.For = "job"
		data, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data)
		if e.Failed == nil {
			whole.Write(append(data, '\n'))
		}
	}
	return append(all, whole.Bytes())
}

// FuzzEvents reads what a broken daemon may say: whatever it is, the client
// returns, with a reply that can be used or with an error that can be shown.
func FuzzEvents(f *testing.F) {
	for _, s := range streams(f) {
		f.Add(s)
	}
	for _, s := range []string{"", "{}", "null", `{"reply":{}}`, `{"failed":{}}`, `{"snapshot":{"packages":{"a":null}}}`, `{"snapshot":{"packages":{"a":{"local":true,"files":{"b":null},"listings":[null]}},"inputs":{"c":null}}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var snap *graph.Snapshot
		reply, err := newEvents(bytes.NewReader(data), "job").wait(Handler{
			Progress: func(Progress) {}, Built: func(order.Artifact) {},
			Snapshot: func(s *graph.Snapshot) { snap = s },
		}, 1)
		if snap != nil {
			// What hr asks of a snapshot before anything else.
			snap.WatchDirs()
			snap.Holds("/app")
			snap.OfFile("/app/main.go")
			snap.Importers("fmt")
		}
		switch {
		case err == nil && (reply == nil || reply.Outcome == nil):
			t.Errorf("neither a program nor an error")
		case err != nil && AsError(err).Message == "":
			t.Errorf("an error that says nothing: %v", err)
		}
	})
}

// FuzzError reads errors of any form.
func FuzzError(f *testing.F) {
	f.Add([]byte(`{"code":"build","message":"no","hint":"yes"}`))
	f.Add([]byte(`{"code":"","message":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e := new(Error)
		if json.Unmarshal(data, e) != nil {
			return
		}
		again, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		back := new(Error)
		if err := json.Unmarshal(again, back); err != nil || *back != *e {
			t.Errorf("%+v comes back as %+v (%v)", e, back, err)
		}
	})
}
