package front

import (
	"time"

	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/protocol"
)

// act is one thing to do. Acts are performed in order, before the next input is
// received; judge and scan are answered at once, as the next input.
type act interface{ isAct() }

type (
	// open opens a session: with the hrd in hand, or with one that is found or
	// started, or, alone, with a private one.
	open struct {
		seq   uint64
		alone bool
	}
	// build asks the session for the program as its source is now.
	build struct {
		seq  uint64
		have uint64
		good order.Artifact
	}
	// cancel gives up the request under way.
	cancel struct{}
	// hangUp closes the session; with backend also the way to hrd.
	hangUp struct{ backend bool }

	// judge looks at the paths of a batch, and where it must look at everything
	// also at the files that did not parse: one that is again as the snapshot has
	// it differs from nothing. judged answers.
	judge struct {
		batch  batch
		broken []string
	}
	// scan compares every input with the snapshot; scanned answers.
	scan struct{ judged judged }
	// adopt judges by the snapshot that came last from now on.
	adopt struct{}
	// apply takes the changes of a build into the snapshot.
	apply struct{ changes []graph.Change }
	// forget drops the snapshot.
	forget struct{}
	// watch makes sure that all that the snapshot needs is watched.
	watch struct{}

	// start starts a program in place of the one before; launched answers.
	start struct{ launch launch }
	// cut ends the start under way; launched still answers.
	cut struct{}

	// explain is what clients are told while nothing lives; "" for nothing.
	explain struct{ text string }
	// tell is for the sinks.
	tell struct{ event event.Event }
	// showStart tells of a generation that is ready.
	showStart struct{ in launched }
	// nothing tells of changes that need no build.
	nothing struct {
		changes []graph.Change
		first   time.Time
	}
	// blamePort looks who has the port that the program could not have.
	blamePort struct{ output []string }
	// note is for hr why.
	note struct{ what any }
	// keys gives the terminal's keys a meaning: there is something to do.
	keys struct{}
	// reply answers a restart that was asked for.
	reply struct {
		who      int
		gen, pid int
		err      string
	}
	// quit ends hr.
	quit struct {
		code int
		err  *protocol.Error // to be told, with code of its own
	}
)

// The notes of hr why.
type (
	noteDecided     struct{ changes []graph.Change }
	noteBuilt       struct{ out *order.Outcome }
	noteFailed      struct{ failure *protocol.Failure }
	noteStarted     struct{ gen, pid int }
	noteStartFailed struct{ failed event.Failed }
	noteStartGood   struct{}
	noteEnded       struct{ how string }
)

func (open) isAct()      {}
func (build) isAct()     {}
func (cancel) isAct()    {}
func (hangUp) isAct()    {}
func (judge) isAct()     {}
func (scan) isAct()      {}
func (adopt) isAct()     {}
func (apply) isAct()     {}
func (forget) isAct()    {}
func (watch) isAct()     {}
func (start) isAct()     {}
func (cut) isAct()       {}
func (explain) isAct()   {}
func (tell) isAct()      {}
func (showStart) isAct() {}
func (nothing) isAct()   {}
func (blamePort) isAct() {}
func (note) isAct()      {}
func (keys) isAct()      {}
func (reply) isAct()     {}
func (quit) isAct()      {}
