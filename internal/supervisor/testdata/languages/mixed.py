# A TCP server with a UDP and a Unix socket beside it, which are echoes.
import http.server, socket, sys, threading

port = int(sys.argv[1])


class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "6")
        self.end_headers()
        self.wfile.write(b"hello\n")

    def log_message(self, *args):
        pass


def packets():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", port))
    while True:
        data, peer = s.recvfrom(100)
        s.sendto(data, peer)


def streams():
    s = socket.socket(socket.AF_UNIX)
    s.bind("\0supervisor-test-%d" % port)
    s.listen()
    while True:
        c, _ = s.accept()
        c.sendall(c.recv(100))
        c.close()


for f in packets, streams:
    threading.Thread(target=f, daemon=True).start()
http.server.ThreadingHTTPServer(("127.0.0.1", port), Hello).serve_forever()
