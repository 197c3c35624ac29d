package supervisor

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// startReception serves a listener as the stand-in does once it has waited.
func startReception(t testing.TB, l interface{ File() (*os.File, error) }, most int, d details) (end func()) {
	f, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	r := &reception{wake: wake, stop: -1, most: most, closed: make(chan struct{}), answer: func(request []byte, whole, local bool) []byte {
		return downResponse(request, d.allow(request, whole, local), "the secret")
	}}
	r.listenOn(f.Fd())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.run()
	}()
	return func() {
		unix.Write(wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
		<-r.closed
		<-ended
		unix.Close(wake)
	}
}

// converse sends parts, each of them when the one before has arrived, and
// returns all that comes back.
func converse(t *testing.T, network, address string, parts ...string) string {
	t.Helper()
	c, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	for _, p := range parts {
		if _, err := io.WriteString(c, p); err != nil {
			t.Fatal(err)
		}
	}
	data, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

const plainRequest = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

// TestSilentClients: they cost no thread, and who speaks is answered.
func TestSilentClients(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	defer startReception(t, l.(*net.TCPListener), mostVisitors(), "")()
	converse(t, "tcp", l.Addr().String(), plainRequest)
	before := threads(t)
	var silent []net.Conn
	for range 1200 {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		silent = append(silent, c)
	}
	if got := converse(t, "tcp", l.Addr().String(), plainRequest); !strings.Contains(got, "the secret") {
		t.Errorf("answer %q", got)
	}
	if n := threads(t) - before; n > 8 {
		t.Errorf("%d threads more", n)
	}
	// The oldest went first.
	silent[0].SetReadDeadline(time.Now().Add(patience))
	if n, err := silent[0].Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("the first silent client: %d, %v", n, err)
	}
}

func threads(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// standInPoor serves with few descriptors: args[0] of them at most.
func standInPoor([]string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	fail(err)
	var limit unix.Rlimit
	fail(unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	limit.Cur = 32
	fail(unix.Setrlimit(unix.RLIMIT_NOFILE, &limit))
	startReception(nil, l.(*net.TCPListener), visitorsMost, "")
	fmt.Println("address", l.Addr())
	up()
	forever()
}

// TestFewDescriptors: with more silent clients than descriptors others are
// answered all the same.
func TestFewDescriptors(t *testing.T) {
	out := newOutput(t)
	s := newTest(t, Options{Handover: "off"})
	mustStart(t, s, testSpec(out, "stand-in-poor"))
	address := out.wait(t, "address")
	for range 100 {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	for range 3 {
		if got := converse(t, "tcp", address, plainRequest); !strings.Contains(got, "the secret") {
			t.Errorf("answer %q", got)
		}
	}
}

// TestWhoLearnsTheReason goes through real connections of each kind.
func TestWhoLearnsTheReason(t *testing.T) {
	tests := []struct {
		network, listen string
		details         details
		parts           []string
		want            bool
	}{
		{"tcp4", "127.0.0.1:0", "", []string{plainRequest}, true},
		{"tcp6", "[::1]:0", "", []string{"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"}, true},
		{"tcp", "[::]:0", "", []string{plainRequest}, true}, // ::ffff:127.0.0.1 or ::1
		{"unix", "", "", []string{plainRequest}, true},
		// The header that tells comes late, or not at all.
		{"tcp4", "127.0.0.1:0", "", []string{"GET / HTTP/1.1\r\nHost: localhost\r\n", "X-Forwarded-For: 1.2.3.4\r\n\r\n"}, false},
		{"tcp4", "127.0.0.1:0", "", []string{"GET / HTTP/1.1\r\nHost: localhost\r\n"}, false},
		{"tcp4", "127.0.0.1:0", "", []string{"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", requestMax)}, false},
		{"tcp4", "127.0.0.1:0", detailsAll, []string{"GET / HTTP/1.0\r\n\r\n"}, true},
		{"tcp4", "127.0.0.1:0", detailsOff, []string{plainRequest}, false},
	}
	for _, tt := range tests {
		address := tt.listen
		if tt.network == "unix" {
			address = t.TempDir() + "/s"
		}
		l, err := net.Listen(tt.network, address)
		if err != nil {
			t.Logf("%s: %v", tt.listen, err) // no IPv6 here
			continue
		}
		end := startReception(t, l.(interface{ File() (*os.File, error) }), 4, tt.details)
		got := converse(t, l.Addr().Network(), l.Addr().String(), tt.parts...)
		if !strings.HasPrefix(got, "HTTP/1.1 503 ") || strings.Contains(got, "the secret") != tt.want {
			t.Errorf("%s %q %.100q: %q", tt.listen, tt.details, tt.parts, got)
		}
		end()
		l.Close()
	}
}

func TestAllow(t *testing.T) {
	tests := []struct {
		head string
		want bool
	}{
		{"GET / HTTP/1.1\nHost: localhost:8080", true},
		{"GET / HTTP/1.1\nhOsT: LocalHost.", true},
		{"GET / HTTP/1.1\nHost: app.localhost:3000", true},
		{"GET / HTTP/1.1\nHost: 127.0.0.1", true},
		{"GET / HTTP/1.1\nHost: 127.1.2.3:80", true},
		{"GET / HTTP/1.1\nHost: [::1]", true},
		{"GET / HTTP/1.1\nHost: [::ffff:127.0.0.1]:80", true},
		{"OPTIONS * HTTP/1.1\nHost: localhost", true},
		{"GET http://localhost:80/ HTTP/1.1\nHost: localhost", true},
		{"GET / HTTP/1.1\nHost: localhost\nX-Request-Id: 1\nAccept: */*", true},

		{"GET / HTTP/1.1", false},
		{"GET / HTTP/1.1\nHost:", false},
		{"GET / HTTP/1.0\nHost: localhost", false},
		{"GET / HTTP/1.1\nHost: example.org", false},
		{"GET / HTTP/1.1\nHost: localhost.example.org", false},
		{"GET / HTTP/1.1\nHost: notlocalhost", false},
		{"GET / HTTP/1.1\nHost: 127.0.0.1.nip.io", false},
		{"GET / HTTP/1.1\nHost: 192.168.1.2:80", false},
		{"GET / HTTP/1.1\nHost: 0.0.0.0", false},
		{"GET / HTTP/1.1\nHost: [::]:80", false},
		{"GET / HTTP/1.1\nHost: [fe80::1]", false},
		{"GET / HTTP/1.1\nHost: localhost:80@example.org", false},
		{"GET / HTTP/1.1\nHost: localhost, example.org", false},
		{"GET / HTTP/1.1\nHost: localhost\nHost: example.org", false},
		{"GET / HTTP/1.1\nHost: localhost\nhost: localhost", false},
		{"GET / HTTP/1.1\nHost : localhost", false},
		{"GET / HTTP/1.1\nHost: localhost\n example.org", false},
		{"GET http://example.org/ HTTP/1.1\nHost: localhost", false},
		{"GET http://localhost@example.org/ HTTP/1.1\nHost: localhost", false},
		{"CONNECT example.org:443 HTTP/1.1\nHost: localhost", false},
		{"GET / HTTP/1.1\nHost: localhost\nForwarded: for=1.2.3.4", false},
		{"GET / HTTP/1.1\nHost: localhost\nforwarded:", false},
		{"GET / HTTP/1.1\nHost: localhost\nForwarded : for=1.2.3.4", false},
		{"GET / HTTP/1.1\nHost: localhost\nVia\t: 1.1 proxy", false},
		{"GET / HTTP/1.1\nHost: localhost\nx-FORWARDED-host: a", false},
		{"GET / HTTP/1.1\nHost: localhost\nX_Forwarded_For: a", false},
		{"GET / HTTP/1.1\nHost: localhost\nX-Real-IP: 1.2.3.4", false},
		{"GET / HTTP/1.1\nHost: localhost\nVia: 1.1 proxy", false},
		{"GET / HTTP/1.1\nHost: localhost\nCF-Connecting-IP: 1.2.3.4", false},
	}
	for _, tt := range tests {
		request := []byte(strings.ReplaceAll(tt.head, "\n", "\r\n") + "\r\n\r\nX-Forwarded-For: a body")
		if got := details("").allow(request, true, true); got != tt.want {
			t.Errorf("%q: %v", tt.head, got)
		}
		if details("").allow(request, true, false) || details("").allow(request, false, true) {
			t.Errorf("%q: allowed from afar, or before it is whole", tt.head)
		}
	}
}

func TestStartsLikeHTTP(t *testing.T) {
	for text, want := range map[string]bool{
		"GET / HTTP/1.1": true, "DELETE /x": true, "GE": true, "PRI * HTTP/2.0": false, "": false,
		"hello world": false, "\x16\x03\x01": false, "ABCDEFGHIJKLMNOPQRST": false,
	} {
		if got := startsLikeHTTP([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
