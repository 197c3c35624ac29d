package daemon

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/hotreflex/hr/internal/engine"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/protocol"
)

// TestJoinFirstBuild: who asks while a first build still learns gets a program
// of the source as it is by then, never the one that was linked before.
func TestJoinFirstBuild(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	linked, saved := make(chan struct{}), make(chan struct{})
	wg.Go(func() {
		s, _, err := w.l.Client().Open(t.Context(), w.job, protocol.Handler{Built: func(order.Artifact) {
			close(linked)
			<-saved
		}})
		if err != nil {
			t.Error(err)
			return
		}
		s.Close()
	})
	<-linked
	w.text("two")
	wg.Go(func() {
		s, reply, err := w.l.Client().Open(t.Context(), w.job, protocol.Handler{Built: func(a order.Artifact) { w.says(a, "two") }})
		if err != nil {
			t.Error(err)
			return
		}
		defer s.Close()
		w.says(reply.Outcome.Artifact, "two")
	})
	w.waitfor("the second session", func() bool { return len(w.l.d.Status().Sessions) == 2 })
	close(saved)
	wg.Wait()
}

// TestJoinUnchanged: for who asks when the program of a first build is linked
// already, nothing is built.
func TestJoinUnchanged(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	linked, joined := make(chan struct{}), make(chan struct{})
	wg.Go(func() {
		s, reply, err := w.l.Client().Open(t.Context(), w.job, protocol.Handler{Built: func(order.Artifact) {
			close(linked)
			<-joined
		}})
		if err != nil {
			t.Error(err)
			return
		}
		defer s.Close()
		if reply.Outcome.Phases.GoBuild == 0 {
			t.Error("the first one is not told that go build ran")
		}
	})
	<-linked
	wg.Go(func() {
		s, reply, err := w.l.Client().Open(t.Context(), w.job, protocol.Handler{})
		if err != nil {
			t.Error(err)
			return
		}
		defer s.Close()
		if o := reply.Outcome; o.Phases.GoBuild != 0 || o.Fallback != "" || o.Artifact.Path == "" {
			t.Errorf("the second one is told of a build: %+v", o)
		}
	})
	w.waitfor("the second session", func() bool { return len(w.l.d.Status().Sessions) == 2 })
	close(joined)
	wg.Wait()
}

// TestJoinFailure: what a build complains of that began before may be mended.
func TestJoinFailure(t *testing.T) {
	w := newWorld(t)
	target, err := w.l.d.engine.Resolve(t.Context(), w.job)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{d: w.l.d}
	old := &flight{target: target.Key(), began: time.Now(), done: make(chan struct{}), hooks: &hookSet{}, cancel: func() {}, err: errors.New("an error that was mended")}
	b.running = old
	var f *flight
	var wg sync.WaitGroup
	wg.Go(func() { f, err = b.build(t.Context(), target, engine.Hooks{}) })
	w.waitfor("the second one to join", func() bool { b.mu.Lock(); defer b.mu.Unlock(); return old.waiting == 1 })
	b.mu.Lock()
	b.running = nil
	b.mu.Unlock()
	close(old.done)
	wg.Wait()
	if err != nil {
		t.Fatal(err)
	}
	w.says(f.prog.Artifact, "one")
}
