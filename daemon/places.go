package daemon

import (
	"slices"

	"github.com/hotreflex/hr/internal/place"
)

// passedOver notes a place whose files may be another user's.
func (d *Daemon) passedOver(e *place.Error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Contains(d.passed, e.Error()) {
		d.passed = append(d.passed, e.Error())
	}
}

// takePassed returns the warnings about such places that nobody was told.
func (d *Daemon) takePassed() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var told []string
	for _, p := range d.passed {
		told = append(told, p+": it is not used")
	}
	d.passed = nil
	return told
}
