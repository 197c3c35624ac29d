package engine_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hotreflex/hr/internal/engine"
	"github.com/hotreflex/hr/internal/order"
)

// TestNothingLeftOfAKilledBuild cancels builds in the middle: what the go
// command and its tools had in the directory for temporary files must be gone.
func TestNothingLeftOfAKilledBuild(t *testing.T) {
	temp := t.TempDir()
	e := newEngine(t)
	dir := extract(t, "testdata/machines.txtar")
	job := order.Job{Dir: dir, Env: append(testEnv(), "TMPDIR="+temp, "GOCACHE="+t.TempDir()), Linker: "go",
		Flags: []string{"-buildvcs=false"}, Package: []string{"."}}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		// The standard library is compiled anew: as soon as the go command has a
		// directory of its own, it is in the middle of that.
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			if found, _ := filepath.Glob(filepath.Join(temp, "hr-build-*", "go-build*", "b*")); len(found) > 0 {
				cancel()
			}
			<-tick.C
		}
	}()
	target, err := e.Resolve(ctx, job)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := e.Build(ctx, target, nil, engine.Hooks{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("the build ended with %v", err)
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("%d temporary files are left: %v", len(left), left)
	}
}
