package supervisor

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// talk answers "ping", closes on "hush" and exits with an error on "die". It
// listens on args[0], or on what it was given.
func talk(args []string) {
	var l net.Listener
	var err error
	if os.Getenv("LISTEN_FDS") != "" {
		l, err = net.FileListener(os.NewFile(firstActivated, "socket"))
	} else {
		l, err = net.Listen("tcp", args[0])
	}
	fail(err)
	for {
		c, err := l.Accept()
		fail(err)
		go func() {
			r := bufio.NewReader(c)
			for {
				switch line, _ := r.ReadString('\n'); line {
				case "ping\n":
					io.WriteString(c, "pong\n")
				case "die\n":
					os.Exit(3)
				default:
					c.Close()
					return
				}
			}
		}()
	}
}

// say sends a word to talk on a connection of its own, or the one given, and
// waits for what comes of it.
func say(t *testing.T, c net.Conn, address, word string) net.Conn {
	t.Helper()
	if c == nil {
		var err error
		if c, err = net.Dial("tcp", address); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
	}
	fmt.Fprintln(c, word)
	c.SetReadDeadline(time.Now().Add(patience))
	if n, err := c.Read(make([]byte, 16)); word == "ping" && (n == 0 || err != nil) {
		t.Fatalf("%s: %d bytes, %v", word, n, err)
	}
	return c
}

// TestAnswered: who sent a byte to a client is told from who only listened.
func TestAnswered(t *testing.T) {
	needsHandover(t)
	const trial = time.Minute
	tests := []struct {
		name       string
		options    Options
		before     func(t *testing.T, address string) // talks to a first generation
		words      []string
		want, know bool
	}{
		{name: "nothing", options: Options{Trial: trial}, know: true},
		{name: "an answer", options: Options{Trial: trial}, words: []string{"ping"}, want: true, know: true},
		{name: "no byte", options: Options{Trial: trial}, words: []string{"hush", "hush"}, know: true},
		{name: "given sockets", options: Options{Trial: trial, Handover: "off", Sockets: []string{""}}, know: true},
		{name: "an answer on given sockets", options: Options{Trial: trial, Sockets: []string{""}}, words: []string{"ping"}, want: true, know: true},
		{name: "no trial", options: Options{}},
		{name: "no hand-over", options: Options{Trial: trial, Handover: "off"}},
		{name: "others' answers", options: Options{Trial: trial}, know: true, before: func(t *testing.T, address string) {
			say(t, say(t, nil, address, "ping"), address, "ping")
			say(t, nil, address, "ping").Close()
		}},
		{name: "others' answers meanwhile", options: Options{Trial: trial, Overlap: true}, know: true, before: func(t *testing.T, address string) {
			say(t, nil, address, "ping")
		}},
		{name: "an answer after others'", options: Options{Trial: trial, Overlap: true}, words: []string{"ping"}, want: true, know: true, before: func(t *testing.T, address string) {
			say(t, nil, address, "ping")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			address := "127.0.0.1:" + freePort(t)
			if len(tt.options.Sockets) > 0 {
				tt.options.Sockets[0] = address
			}
			s := newTest(t, tt.options)
			spec := testSpec(newOutput(t), "talk", address)
			g := mustStart(t, s, spec)
			receive(t, "ready", g.Ready())
			if tt.before != nil {
				tt.before(t, address)
				var err error
				if g, _, err = s.Replace(t.Context(), spec); err != nil {
					t.Fatal(err)
				}
			}
			for _, word := range tt.words {
				say(t, nil, address, word)
			}
			say(t, nil, address, "die")
			receive(t, "end", g.Done())
			if sent, known := g.Answered(); sent != tt.want || known != tt.know {
				t.Errorf("answered %v, known %v", sent, known)
			}
		})
	}
}
