package front

import (
	"time"

	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/protocol"
)

// input is one thing that happened. An input is plain data: who makes it has
// looked at the disk, the clock and the processes already.
type input interface{ isInput() }

type (
	// begun is the first input.
	begun struct{ at time.Time }

	// saved is a batch of the watcher.
	saved struct{ batch batch }

	// judged answers judge: what the batch means to the snapshot.
	judged struct {
		batch   batch
		changes []graph.Change
		gone    []string // broken files that are no longer there
		restart []string // names of files that restart the program
		at      time.Time
	}

	// scanned answers scan: every input that is not as the snapshot has it.
	scanned struct {
		judged judged
		news   []graph.Change
	}

	// pictured is the first snapshot of a session.
	pictured struct {
		at     time.Time
		number uint64 // of the program that it belongs to
	}

	// built is a program that can run although its build goes on.
	built struct {
		seq      uint64
		artifact order.Artifact
	}

	// answered is the end of a request that gave a program.
	answered struct {
		seq    uint64
		open   bool
		local  bool // the private hrd answered
		number uint64
		whole  bool // a snapshot came with it
		out    *order.Outcome
	}

	// refused is the end of a request that gave none.
	refused struct {
		seq     uint64
		open    bool
		backend bool // there is somebody to ask again
		local   bool
		at      time.Time
		err     *protocol.Error
		failure *protocol.Failure // hrd's own word; nil if it gave none
		lost    bool              // hrd died, or another one has its place
	}

	// lost is a session that ended under us.
	lost struct{ at time.Time }

	// launched is the end of a start.
	launched struct {
		launch   launch
		gen, pid int   // 0 if the system did not run it
		err      error // why it is not ready, or does not run
		done     bool  // the generation has ended already
		ready    bool  // it was ready before
		exit     exit
		listens  bool   // somebody listens on a kept socket
		kept     bool   // hr keeps its sockets between generations
		env      string // stands for its environment
		goodGone bool   // the file of the last good program is gone
		output   []string
		at       time.Time
	}

	// exited is the end of the generation that ran.
	exited struct{ exit exit }

	// restart asks for another start of the program. who is 0 for a file or key.
	restart struct {
		who   int
		names []string
		at    time.Time
	}

	// rebuild asks for a build whatever was saved.
	rebuild struct {
		names []string
		at    time.Time
	}

	// changed asks for another session: the profile is another one now.
	changed struct {
		names []string
		at    time.Time
	}
)

// exit is how a generation ended.
type exit struct {
	code        int
	status      int // as a shell gives it
	text        string
	interrupted bool // by a Ctrl-C that only the program saw
}

func (begun) isInput()    {}
func (saved) isInput()    {}
func (judged) isInput()   {}
func (scanned) isInput()  {}
func (pictured) isInput() {}
func (built) isInput()    {}
func (answered) isInput() {}
func (refused) isInput()  {}
func (lost) isInput()     {}
func (launched) isInput() {}
func (exited) isInput()   {}
func (restart) isInput()  {}
func (rebuild) isInput()  {}
func (changed) isInput()  {}
