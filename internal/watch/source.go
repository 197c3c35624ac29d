package watch

import (
	"context"
	"sync"
	"time"
)

// A source finds changes and puts them in the inbox.
type source interface {
	// add begins to watch; it returns when what exists is watched. A root that
	// does not exist is reported when it appears.
	add(root)
	// sync returns after every earlier change is in the inbox.
	sync(context.Context) error
	// close stops the source and waits for its goroutines.
	close() error
}

// root is a directory the consumer asked for.
type root struct {
	path string
	tree bool // with everything below
}

// op says what a source saw happen to a path.
type op uint8

const (
	opWhole  op = iota + 1 // the writer closed the file, or it was renamed to this name
	opCreate               // this name did not exist before
	opModify               // written, and the writer has not closed it
	opAttrib               // mode, owner or times
	opGone                 // removed, or renamed to another name
	opFound                // met by a walk: it may be new, and its writer may not be done
	opLost                 // the source missed events; path is empty
)

// event is one hint.
type event struct {
	path string
	op   op
	dir  bool
	move uint32 // nonzero: the two halves of a rename carry the same number
	at   time.Time
	held time.Duration // how long the source itself kept it back before at
}

// inbox takes events from the sources without ever blocking them, so that a
// slow consumer cannot fill the kernel's queue.
type inbox struct {
	ready  chan struct{} // one token while events wait
	mu     sync.Mutex    // guards events
	events []event
}

func newInbox() *inbox { return &inbox{ready: make(chan struct{}, 1)} }

func (b *inbox) put(evs ...event) {
	if len(evs) == 0 {
		return
	}
	b.mu.Lock()
	b.events = append(b.events, evs...)
	b.mu.Unlock()
	select {
	case b.ready <- struct{}{}:
	default:
	}
}

func (b *inbox) take() []event {
	b.mu.Lock()
	defer b.mu.Unlock()
	evs := b.events
	b.events = nil
	return evs
}
