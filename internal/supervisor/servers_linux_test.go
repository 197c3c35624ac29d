package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The servers of the hand-over tests. None of them knows of it. Their answer
// is the generation.

func page(delay string) http.Handler {
	d, _ := time.ParseDuration(delay)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-time.After(d)
		io.WriteString(w, os.Getenv(generationVariable))
	})
}

func fail(err error) {
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
}

// serve ADDRESS [DELAY [INIT]] ends where the signal finds it.
func serve(args []string) {
	delay := "0s"
	if len(args) > 1 {
		delay = args[1]
	}
	if len(args) > 2 {
		d, err := time.ParseDuration(args[2])
		fail(err)
		<-time.After(d)
	}
	l, err := net.Listen("tcp", args[0])
	fail(err)
	up()
	fail(http.Serve(l, page(delay)))
}

// serveGracefully ADDRESS DELAY calls Shutdown. A connection whose first
// request arrives after that is closed without an answer, also without us:
// conn.serve of net/http/server.go looks at shuttingDown right after
// readRequest.
func serveGracefully(args []string) {
	server := &http.Server{Addr: args[0], Handler: page(args[1])}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, unix.SIGTERM)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-stop
		server.Shutdown(context.Background())
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		fail(err)
	}
	<-ended
}

// hello ADDRESS is the smallest net/http server.
func hello(args []string) {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello\n") })
	fail(http.ListenAndServe(args[0], nil))
}

// blocking ADDRESS accepts without epoll, answers in another thread after a
// moment, and has no handler for SIGTERM, as a C program.
func blocking(args []string) {
	var action struct {
		handler, flags, restorer uintptr
		mask                     uint64
	}
	const sizeofKernelSigset = 8
	if _, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(unix.SIGTERM), uintptr(unsafe.Pointer(&action)), 0, sizeofKernelSigset, 0, 0); errno != 0 {
		fail(errno)
	}
	a, err := net.ResolveTCPAddr("tcp4", args[0])
	fail(err)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	fail(err)
	fail(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
	fail(unix.Bind(fd, &unix.SockaddrInet4{Port: a.Port, Addr: [4]byte(a.IP.To4())}))
	fail(unix.Listen(fd, 5))
	up()
	for {
		c, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
		if err != nil {
			continue
		}
		go func() {
			defer unix.Close(c)
			unix.Read(c, make([]byte, 4096))
			<-time.After(2 * time.Millisecond)
			body := os.Getenv(generationVariable)
			unix.Write(c, fmt.Appendf(nil, "HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
		}()
	}
}

// serveSeveral PORT listens on that port in three ways.
func serveSeveral(args []string) {
	for _, a := range []struct{ network, host string }{{"tcp4", "127.0.0.1"}, {"tcp4", "127.0.0.2"}, {"tcp6", "::1"}} {
		l, err := net.Listen(a.network, net.JoinHostPort(a.host, args[0]))
		fail(err)
		go http.Serve(l, page("0s"))
	}
	up()
	forever()
}

// serveMixed PORT SOCKET has sockets of every kind next to the TCP one.
func serveMixed(args []string) {
	os.Remove(args[1])
	u, err := net.Listen("unix", args[1])
	fail(err)
	abstract, err := net.Listen("unix", "@"+args[1])
	fail(err)
	packet, err := net.ListenPacket("udp", "127.0.0.1:"+args[0])
	fail(err)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	fail(err)
	l, err := net.Listen("tcp", "127.0.0.1:"+args[0])
	fail(err)
	for _, x := range []net.Listener{u, abstract, free} {
		go http.Serve(x, page("0s"))
	}
	go func() {
		buf := make([]byte, 100)
		for {
			n, from, err := packet.ReadFrom(buf)
			fail(err)
			packet.WriteTo(buf[:n], from)
		}
	}()
	up()
	fail(http.Serve(l, page("0s")))
}

// serveAndClose ADDRESS closes its listener for good after one connection.
func serveAndClose(args []string) {
	l, err := net.Listen("tcp", args[0])
	fail(err)
	up()
	c, err := l.Accept()
	fail(err)
	c.Close()
	l.Close()
	forever()
}

// serveAndShutDown ADDRESS calls shutdown(2) on its listener at SIGTERM, which
// ends it for everybody who shares it.
func serveAndShutDown(args []string) {
	l, err := net.Listen("tcp", args[0])
	fail(err)
	raw, err := l.(*net.TCPListener).SyscallConn()
	fail(err)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, unix.SIGTERM)
	go func() {
		<-stop
		raw.Control(func(fd uintptr) { unix.Shutdown(int(fd), unix.SHUT_RDWR) })
		os.Exit(0)
	}()
	http.Serve(l, page("0s"))
	forever()
}

// serveEpollFirst PORT registers its socket with epoll before bind, as some
// event loops do.
func serveEpollFirst(args []string) {
	var port int
	fmt.Sscan(args[0], &port)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	fail(err)
	set, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	fail(err)
	fail(unix.EpollCtl(set, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}))
	fail(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
	fail(unix.Bind(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}))
	fail(unix.Listen(fd, 5))
	up()
	events := make([]unix.EpollEvent, 8)
	body := os.Getenv(generationVariable)
	for {
		n, err := unix.EpollWait(set, events, -1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			fail(err)
		}
		for range max(n, 0) {
			c, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
			if err != nil {
				continue
			}
			buf := make([]byte, 4096)
			unix.Read(c, buf)
			unix.Write(c, fmt.Appendf(nil, "HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
			unix.Close(c)
		}
	}
}

// bindTwice ADDRESS must see its own mistake.
func bindTwice(args []string) {
	_, err := net.Listen("tcp", args[0])
	fail(err)
	_, err = net.Listen("tcp", args[0])
	fmt.Println("second", errors.Is(err, unix.EADDRINUSE))
	up()
	forever()
}

// serveShared ADDRESS has two sockets of one address, both bound before either
// listens, as the workers of a pre-forking server may.
func serveShared(args []string) {
	a, err := net.ResolveTCPAddr("tcp4", args[0])
	fail(err)
	var fds [2]int
	for i := range fds {
		fds[i], err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		fail(err)
		fail(unix.SetsockoptInt(fds[i], unix.SOL_SOCKET, unix.SO_REUSEPORT, 1))
		fail(unix.Bind(fds[i], &unix.SockaddrInet4{Port: a.Port, Addr: [4]byte(a.IP.To4())}))
	}
	for _, fd := range fds {
		fail(unix.Listen(fd, 5))
		l, err := net.FileListener(os.NewFile(uintptr(fd), ""))
		fail(err)
		go http.Serve(l, page("0s"))
	}
	up()
	forever()
}

// serveActivated takes its sockets from its parent, as go-systemd does.
func serveActivated([]string) {
	if os.Getenv("LISTEN_PID") != fmt.Sprint(os.Getpid()) {
		fail(fmt.Errorf("LISTEN_PID is %s, we are %d", os.Getenv("LISTEN_PID"), os.Getpid()))
	}
	var n int
	fmt.Sscan(os.Getenv("LISTEN_FDS"), &n)
	for i := range n {
		l, err := net.FileListener(os.NewFile(uintptr(firstActivated+i), "activated"))
		fail(err)
		go http.Serve(l, page("0s"))
	}
	fmt.Println("names", os.Getenv("LISTEN_FDNAMES"))
	forever()
}
