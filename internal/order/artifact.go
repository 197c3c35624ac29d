package order

import (
	"fmt"
	"os"
	"time"

	"github.com/hotreflex/hr/internal/place"
)

// Artifact is a linked program.
type Artifact struct {
	Key  string `json:"key"` // action id of the link
	Path string `json:"path"`
	// Mark is by what its file is known again.
	Mark place.Mark `json:"mark,omitzero"`
}

// Told is the artifact as users are told of it: without what its file is known by.
func (a Artifact) Told() Artifact {
	a.Mark = place.Mark{}
	return a
}

// Same reports whether two are one file.
func (a Artifact) Same(b Artifact) bool { return a.Key == b.Key && a.Path == b.Path }

// Hold is an artifact that is about to run, or runs: while it is held nobody
// takes its file away or makes another program of it.
type Hold struct{ file *os.File }

// holdTries is how often an artifact is asked for that somebody has for himself:
// who only looks whether it is needed has it for microseconds.
const holdTries = 20

// HoldArtifact holds an artifact if it still is what was built, in a place where
// nobody else can change it. It reads the file only if something touched it.
func HoldArtifact(a Artifact) (*Hold, error) {
	f, err := place.OpenFile(a.Path)
	if err != nil {
		return nil, fmt.Errorf("start the program: %w", err)
	}
	for try := 1; ; try++ {
		held, err := place.Hold(f, false)
		if held || err != nil || try == holdTries {
			break // without a lock the file still is the right one now
		}
		time.Sleep(time.Millisecond)
	}
	if err := place.Verify(f, a.Mark); err != nil {
		f.Close()
		return nil, fmt.Errorf("start the program: %w", err)
	}
	return &Hold{f}, nil
}

// Release lets go of it; nil is none.
func (h *Hold) Release() {
	if h != nil {
		h.file.Close()
	}
}
