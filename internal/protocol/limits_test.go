package protocol

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hotreflex/hr/internal/order"
)

// talk serves one HTTP connection in the bubble: what w writes is the answer.
func talk(wg *sync.WaitGroup, answer func(w io.Writer)) *Client {
	return NewClient(func(context.Context) (net.Conn, error) {
		here, there := net.Pipe()
		wg.Go(func() {
			defer there.Close()
			buf := make([]byte, 64<<10)
			there.Read(buf) // the request; its body may be another piece
			wg.Go(func() { io.Copy(io.Discard, there) })
			answer(there)
		})
		return here, nil
	})
}

const head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n"

// TestSilentDaemon: whatever the daemon does not say, or says without an end, a
// client gives it up in the time that fits its question.
func TestSilentDaemon(t *testing.T) {
	job := order.Job{Dir: "/a"}
	id := job.Digest()
	mute := func(w io.Writer, c <-chan struct{}) { <-c }
	says := func(text string) func(io.Writer, <-chan struct{}) {
		return func(w io.Writer, c <-chan struct{}) { io.WriteString(w, head+text); <-c }
	}
	endless := func(text string, pause time.Duration) func(io.Writer, <-chan struct{}) {
		return func(w io.Writer, c <-chan struct{}) {
			io.WriteString(w, head)
			for piece := strings.Repeat(text, max(1, 1<<20/len(text))); ; {
				if pause > 0 {
					piece = text
					time.Sleep(pause)
				}
				if _, err := io.WriteString(w, piece); err != nil {
					return
				}
			}
		}
	}
	hello := func(c *Client) error { _, err := c.Hello(context.Background()); return err }
	open := func(c *Client) error {
		_, _, err := c.Open(context.Background(), job, Handler{})
		return err
	}
	view := func(c *Client) error { _, err := c.Snapshot(context.Background(), "s"); return err }
	build := func(c *Client) error {
		_, err := (&Session{client: c, ID: "s", job: id}).Build(context.Background(), BuildRequest{Seq: 1}, Handler{})
		return err
	}
	beat := fmt.Sprintf(`{"for":%q,"alive":true}`+"\n", id)
	for name, c := range map[string]struct {
		ask    func(*Client) error
		answer func(io.Writer, <-chan struct{})
		within time.Duration
	}{
		"hello":                 {hello, mute, helloTime},
		"hello, half":           {hello, says(`{"rev`), helloTime},
		"hello, endless":        {hello, endless(" ", 0), helloTime},
		"status":                {func(c *Client) error { _, err := c.Status(context.Background()); return err }, mute, helloTime},
		"stop":                  {func(c *Client) error { return c.Stop(context.Background(), false) }, mute, helloTime},
		"snapshot":              {view, mute, viewTime},
		"open":                  {open, mute, quietTime},
		"open, head only":       {open, says(""), quietTime},
		"open, session only":    {open, says(fmt.Sprintf(`{"for":%q,"session":"s"}`+"\n", id)), quietTime},
		"open, an endless line": {open, endless("x", 0), quietTime},
		"build":                 {build, mute, quietTime},
		"build, one beat":       {build, says(beat), quietTime},
		"build, drips":          {build, endless("x", beatTime), quietTime},
		"build, beats for ever": {build, endless(beat, beatTime), buildTime + quietTime},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				over := make(chan struct{})
				var wg sync.WaitGroup
				client := talk(&wg, func(w io.Writer) { c.answer(w, over) })
				client.most = 1 << 20
				start := time.Now()
				err := c.ask(client)
				if !errors.Is(err, ErrSilent) {
					t.Errorf("got %v", err)
				}
				if took := time.Since(start); took > c.within {
					t.Errorf("it took %v, at most %v wanted", took, c.within)
				}
				close(over)
				client.Close()
				wg.Wait()
			})
		})
	}
}

// TestSlowBuild: a build may take long while the daemon says that it lives, and
// the session lives on afterwards without a word.
func TestSlowBuild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		job := order.Job{Dir: "/a"}
		over := make(chan struct{})
		var wg sync.WaitGroup
		client := talk(&wg, func(w io.Writer) {
			io.WriteString(w, head)
			say := func(text string) { fmt.Fprintf(w, `{"for":%q,%s}`+"\n", job.Digest(), text) }
			say(`"session":"s"`)
			for range 600 {
				time.Sleep(beatTime)
				say(`"alive":true`)
			}
			say(`"reply":{"seq":0,"outcome":{}}`)
			time.Sleep(24 * time.Hour)
			say(`"notice":"still here"`)
			<-over
		})
		s, _, err := client.Open(t.Context(), job, Handler{})
		if err != nil || s.ID != "s" {
			t.Fatalf("open: %v", err)
		}
		told := make(chan string, 1)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			s.Rest(Handler{Notice: func(text string) { told <- text }})
		}()
		if text := <-told; text != "still here" {
			t.Errorf("told %q", text)
		}
		s.Close()
		<-ended
		close(over)
		client.Close()
		wg.Wait()
	})
}
