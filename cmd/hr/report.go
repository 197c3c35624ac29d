package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/exact"
	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/protocol"
)

// report is what hr why reads: the state of one running hr, kept in a file of
// its own beside the daemon's socket, so that it is there without a daemon.
//
// The file lock beside it is held for life: a report without is of an hr that
// was killed.
type report struct {
	path string
	lock *flock.Flock
	data reportData
}

// reportData is the content of the file.
type reportData struct {
	Pid        int               `json:"pid"`
	ID         string            `json:"id"` // names this hr: another may get its process id
	Dir        string            `json:"dir"`
	Package    []string          `json:"package"`
	Flags      []string          `json:"flags"`
	Profile    string            `json:"profile,omitempty"`
	Debug      bool              `json:"debug,omitempty"`
	Linker     string            `json:"linker,omitempty"`
	Started    time.Time         `json:"started"`
	Target     string            `json:"target,omitempty"`
	Generation int               `json:"generation"`
	ChildPid   int               `json:"childPid"`
	Session    string            `json:"session,omitempty"` // of the daemon, to ask it more
	Decided    time.Time         `json:"decided"`
	Changes    []decision        `json:"changes,omitempty"`
	Outcome    *order.Outcome    `json:"outcome,omitempty"`
	Failure    *protocol.Failure `json:"failure,omitempty"`
	Start      *event.Failed     `json:"start,omitempty"` // the newest start, if it failed
	Ended      string            `json:"ended,omitempty"` // how the program ended by itself
	// Restless are the inputs that do not stand still.
	Restless []restlessInput `json:"restless,omitempty"`
}

// decision is one file's verdict.
type decision struct {
	Path    string `json:"path"`
	Verdict string `json:"verdict"`
	Why     string `json:"why"`
	Package string `json:"package,omitempty"`
}

// sessionsDir holds the reports.
func sessionsDir() (string, error) {
	dir, err := protocol.RunDir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "sessions")
	return dir, protocol.PrivateDir(dir)
}

func newReport(job order.Job) *report {
	return &report{data: reportData{Pid: os.Getpid(), ID: rand.Text(), Dir: job.Dir, Package: job.Package, Flags: job.Flags, Profile: job.Profile, Debug: job.Debug, Linker: job.Linker, Started: time.Now()}}
}

// begin writes the report for the first time.
func (r *report) begin() {
	dir, err := sessionsDir()
	if err != nil {
		return // hr why has nothing to show then
	}
	path := filepath.Join(dir, fmt.Sprintf("%d.json", os.Getpid()))
	if r.lock = lockReport(path); r.lock == nil {
		return
	}
	r.path = path
	r.write()
	sweepDead(dir)
}

const lockSuffix = ".lock"

// readReports returns the reports of the hrs that run, and removes those of
// the dead.
func readReports(dir string) ([]*reportData, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	var all []*reportData
	for _, name := range names {
		pid, err := strconv.Atoi(strings.TrimSuffix(filepath.Base(name), ".json"))
		if err != nil || sweepIfDead(dir, pid) {
			continue
		}
		d := new(reportData)
		if text, err := os.ReadFile(name); err == nil && exact.Unmarshal(text, d) == nil {
			all = append(all, d)
		}
	}
	return all, nil
}

func (r *report) decide(changes []graph.Change) {
	if len(changes) == 0 {
		return // a look at all inputs that found nothing: what was told still holds
	}
	r.data.Decided = time.Now()
	r.data.Changes, r.data.Outcome, r.data.Failure = nil, nil, nil
	for _, c := range changes {
		r.data.Changes = append(r.data.Changes, decision{c.Path, c.Verdict.String(), c.Why, c.Package})
	}
	r.write()
}

func (r *report) built(out *order.Outcome, session string) {
	r.data.Session = session
	o := *out
	o.Changes = nil // told as decisions
	if o.Flags != nil {
		r.data.Flags = o.Flags // with what the profile adds
	}
	r.data.Outcome, r.data.Failure = &o, nil
	if len(r.data.Changes) == 0 {
		for _, c := range out.Changes {
			r.data.Changes = append(r.data.Changes, decision{c.Path, c.Verdict.String(), c.Why, c.Package})
		}
	}
	r.write()
}

func (r *report) failed(f *protocol.Failure) {
	g := *f
	if g.Outcome != nil {
		o := *g.Outcome
		o.Changes = nil
		g.Outcome = &o
	}
	r.data.Failure = &g
	r.write()
}

// startFailed keeps why the newest start was none, until one is.
func (r *report) startFailed(f event.Failed) {
	f.Outcome = nil // the report has it
	r.data.Start = &f
	r.write()
}

// startGood forgets it.
func (r *report) startGood() {
	if r.data.Start != nil {
		r.data.Start = nil
		r.write()
	}
}

func (r *report) started(generation, pid int) {
	r.data.Generation, r.data.ChildPid, r.data.Ended = generation, pid, ""
	r.write()
}

// restless keeps which inputs do not stand still.
func (r *report) restless(all []restlessInput) {
	if len(all) > 0 || len(r.data.Restless) > 0 {
		r.data.Restless = all
		r.write()
	}
}

// ended keeps how the program ended by itself, until the next one starts.
func (r *report) ended(how string) {
	r.data.Ended = how
	r.write()
}

// profile notes that the program is built in another way from now on.
func (r *report) profile(job order.Job) {
	r.data.Flags, r.data.Profile, r.data.Debug, r.data.Linker = job.Flags, job.Profile, job.Debug, job.Linker
	r.write()
}

// write replaces the file whole: a reader sees one state or the next. A place
// that cannot be written costs hr why, nothing else.
func (r *report) write() {
	if r.path == "" {
		return
	}
	data, err := exact.Marshal(r.data)
	if err != nil {
		return
	}
	tmp := r.path + ".new"
	if os.WriteFile(tmp, data, 0o600) == nil {
		os.Rename(tmp, r.path)
	}
}

func (r *report) remove() {
	if r.path != "" {
		os.Remove(r.path)
		os.Remove(r.path + lockSuffix)
		r.lock.Close()
	}
}
