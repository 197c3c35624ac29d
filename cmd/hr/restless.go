package main

import (
	"path/filepath"
	"slices"
	"time"

	"github.com/hotreflex/hr/astcheck"
	"github.com/hotreflex/hr/internal/churn"
	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/watch"
)

// This file deals with inputs that do not stand still: a log beside an embedded
// page, a program that rewrites its own source. What such a file alone would cause
// is put off for longer and longer; a build for another reason takes it as it is.

// restlessInput is what hr why tells of one.
type restlessInput struct {
	churn.Story
	Writer string `json:"writer,omitempty"` // who had it open for writing
}

// retryDue is when what is due is looked at again while a build is under way:
// rarely, for the build's end may bring the same.
const retryDue = 250 * time.Millisecond

// calm returns the changes that may be acted on now. Free are the paths whose turn
// it is: they were counted when they changed.
func (r *runner) calm(changes []graph.Change, free []string) []graph.Change {
	now := time.Now()
	saw := map[string]bool{} // what changed -> may be acted on
	rest := slices.DeleteFunc(slices.Clone(changes), func(ch graph.Change) bool {
		if !r.matters(ch) && ch.Verdict != astcheck.Broken {
			return free != nil // told as nothing when it was saved
		}
		key := r.churnKey(ch)
		if slices.Contains(free, key) {
			return false
		}
		act, known := saw[key]
		if !known {
			var ask bool
			act, ask = r.churn.Saw(key, now)
			saw[key] = act
			if ask {
				r.lookForWriter(key)
			}
		}
		return !act
	})
	return rest
}

// foundWriter is who writes a file that changes often.
type foundWriter struct{ path, writer string }

// lookForWriter looks beside the loop: the save does not wait for it.
func (r *runner) lookForWriter(key string) {
	pid, served := 0, func() bool { return false }
	if r.gen != nil {
		pid, served = r.gen.Pid, r.gen.HasAnswered
	}
	r.wg.Go(func() {
		if writer := writerOf(key, pid, served); writer != "" {
			send(r.ctx, r.writerc, foundWriter{key, writer})
		}
	})
}

// churnKey is what a change is counted under: a file, or for names that come and
// go the directory.
func (r *runner) churnKey(ch graph.Change) string {
	if r.snap.File(ch.Path) != nil && ch.File != nil || sourceName(ch.Path) {
		return ch.Path
	}
	return filepath.Dir(ch.Path)
}

// sawNamed is calm for the files that restart the program without a build.
func (r *runner) sawNamed(names []string) []string {
	now := time.Now()
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		act, ask := r.churn.Saw(name, now)
		if ask {
			r.lookForWriter(name)
		}
		return !act
	})
}

// onWriter says once of a file that it does not stand still, and who writes it.
func (r *runner) onWriter(f foundWriter) {
	now := time.Now()
	if !r.churn.Confirm(f.path, now) {
		return
	}
	if r.writers == nil {
		r.writers = map[string]string{}
	}
	r.writers[f.path] = f.writer
	for _, st := range r.churn.Stories(now) {
		if st.Path == f.path {
			r.c.screen.Notice("%s does not stand still: %d changes in %s, written by %s; alone it restarts the program only after growing pauses",
				r.short(f.path), st.Changes, event.Duration(now.Sub(st.Since)), f.writer)
		}
	}
	r.keepStories()
}

// keepStories puts what does not stand still into the report.
func (r *runner) keepStories() {
	var all []restlessInput
	for _, st := range r.churn.Stories(time.Now()) {
		all = append(all, restlessInput{st, r.writers[st.Path]})
	}
	r.report.restless(all)
}

// calmTimer returns the channel that tells when something that was put off is due.
func (r *runner) calmTimer() <-chan time.Time {
	next := r.churn.Next()
	if next.IsZero() {
		return nil
	}
	wait := time.Until(next)
	if r.busy() {
		wait = max(wait, retryDue)
	}
	if r.calmer == nil {
		r.calmer = time.NewTimer(wait)
	} else {
		r.calmer.Reset(wait)
	}
	return r.calmer.C
}

// busy tells that what is due would disturb what is under way.
func (r *runner) busy() bool {
	return r.snap == nil || r.opening || r.building || r.awaiting || r.launch != nil
}

// onDue acts on what was put off.
func (r *runner) onDue() {
	if r.busy() {
		return
	}
	keys := r.churn.Due(time.Now())
	if len(keys) == 0 {
		return
	}
	var names []string
	b := watch.Batch{First: time.Now()}
	for _, key := range keys {
		if filepath.IsAbs(key) {
			b.Paths = append(b.Paths, key)
		} else {
			names = append(names, key)
		}
	}
	defer r.keepStories()
	if len(names) > 0 {
		r.rerun(names, b.First)
	}
	if len(b.Paths) > 0 {
		r.dueNow = true
		r.onChanges(b, keys)
		r.dueNow = false
	}
}
