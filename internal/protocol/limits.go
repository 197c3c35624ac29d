package protocol

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Every answer has a limit of time and of size that fits its question. A daemon
// that hangs is given up by them, and whatever else listens on the socket fills
// no memory.
const (
	// helloTime is for answers that are known already: a daemon needs a
	// millisecond, and seconds only where the machine has no time for it.
	helloTime = 3 * time.Second
	// viewTime is for those that are made on the spot, of a few megabytes.
	viewTime = 10 * time.Second
	// beatTime is how often a daemon that works on an answer says that it lives.
	beatTime = time.Second
	// quietTime is how long it may say nothing: five beats, for a machine that
	// compiles on all processors.
	quietTime = 5 * time.Second
	// buildTime is for a whole build, beats or not: no program takes so long that
	// somebody runs it after each save.
	buildTime = time.Hour

	maxSmall = 1 << 20 // of an answer that no program makes longer
	// maxAnswer is for one with snapshots: 4,000 files make some 4 MB.
	maxAnswer = 256 << 20
)

// errLong says that an answer does not end.
var errLong = fmt.Errorf("the answer is too long: %w", ErrSilent)

// limit ends a context with ErrSilent when an answer does not get on.
type limit struct {
	timer  *time.Timer
	time   time.Duration
	cancel context.CancelCauseFunc
}

// limited returns a context for one answer. The caller calls end.
func limited(ctx context.Context, span time.Duration) (context.Context, *limit) {
	ctx, cancel := context.WithCancelCause(ctx)
	return ctx, &limit{time.AfterFunc(span, func() { cancel(ErrSilent) }), span, cancel}
}

// again begins the time anew.
func (l *limit) again() { l.timer.Reset(l.time) }

// lift takes the limit from the context, which goes on.
func (l *limit) lift() { l.timer.Stop() }

// end ends the context.
func (l *limit) end() { l.timer.Stop(); l.cancel(nil) }

// cause puts ErrSilent in place of what came of it.
func cause(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), ErrSilent) {
		return context.Cause(ctx)
	}
	return err
}

// atMost reads from r, and fails where it has more than n bytes.
func atMost(r io.Reader, n int64) io.Reader {
	return &capped{r, n}
}

type capped struct {
	r    io.Reader
	left int64
}

func (c *capped) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errLong
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

// line reads one line, the last one also without its end.
func line(r *bufio.Reader) ([]byte, error) {
	data, err := r.ReadBytes('\n')
	if errors.Is(err, io.EOF) && len(data) > 0 {
		err = nil
	}
	return data, err
}

// Beat calls alive at each beat until the function that it returns is called,
// which waits for the last one.
func Beat(alive func()) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(beatTime)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				alive()
			}
		}
	}()
	return func() { close(quit); <-done }
}
