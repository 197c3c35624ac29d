# A parent that only waits, and a child that listens, as pre-forking servers do.
import http.server, os, sys


class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "6")
        self.end_headers()
        self.wfile.write(b"hello\n")

    def log_message(self, *args):
        pass


if os.fork() == 0:
    http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Hello).serve_forever()
os.wait()
