package event

import (
	"fmt"
	"strings"
	"time"

	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/supervisor"
)

// Run describes a generation that has started. Durations are in nanoseconds.
type Run struct {
	Generation int               `json:"generation"`
	Pid        int               `json:"pid"`
	Files      []string          `json:"files,omitempty"` // base names of what was saved
	Artifact   order.Artifact    `json:"artifact"`
	Total      time.Duration     `json:"total"`     // from the save to ready
	Event      time.Time         `json:"eventTime"` // of the save
	Ready      time.Time         `json:"readyTime"`
	Timing     supervisor.Timing `json:"timing"`
	Outcome    *order.Outcome    `json:"outcome,omitempty"` // of the build that made it; none if it was there

	// Phases is the waterfall of -v, empty without.
	Phases string `json:"-"`
}

// Start tells that the first generation is ready.
type Start struct{ Run }

// Name is start.
func (Start) Name() string { return "start" }

// Line tells what was done for it.
func (e Start) Line() Line {
	text := "started in " + Duration(e.Total)
	switch out := e.Outcome; {
	case out == nil || out.Phases.GoBuild > 0:
		text = "built and " + text
	case out.Compiled == 0 && out.Linker == "":
		text = "up to date, " + text
	default:
		text = Did(out) + ", " + text
	}
	return Line{Text: text + " (#1)", More: e.Phases, Colour: Green}
}

// Reload tells that a later generation is ready.
type Reload struct {
	Run

	// Rerun is true if the program ran before, and nothing was built.
	Rerun bool `json:"rerun,omitempty"`
}

// Name is reload.
func (Reload) Name() string { return "reload" }

// Line tells what was saved and what was done for it.
func (e Reload) Line() Line {
	what := Did(e.Outcome) + ", "
	if e.Rerun {
		what = ""
	}
	text := fmt.Sprintf("%s → %srestarted in %s (#%d)", Names(e.Files), what, Duration(e.Total), e.Generation)
	return Line{Text: text, More: e.Phases, Colour: Green}
}

// Did says what a build did, as in "1 compiled, 3 cut off, linked 18 ms".
func Did(out *order.Outcome) string {
	if out == nil {
		return "built"
	}
	if out.Fallback != "" {
		return fmt.Sprintf("go build %s (%s)", Duration(out.Phases.GoBuild), out.Fallback)
	}
	parts := []string{fmt.Sprintf("%d compiled", out.Compiled)}
	if out.Reused > 0 {
		parts = append(parts, fmt.Sprintf("%d reused", out.Reused))
	}
	if out.CutOff > 0 {
		parts = append(parts, fmt.Sprintf("%d cut off", out.CutOff))
	}
	if out.Linker != "" {
		parts = append(parts, "linked "+Duration(out.Phases.Link))
	} else {
		parts = append(parts, "linked before")
	}
	return strings.Join(parts, ", ")
}
