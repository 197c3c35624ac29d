// Command app answers every connection with one line: its greeting and which
// generation it is. It speaks just enough HTTP, for net/http costs its tests a
// quarter of a second at each link.
package main

import (
	"fmt"
	"io"
	"net"
	"os"

	"example.com/app/greet"
)

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		c.Read(make([]byte, 4096)) // closing with unread bytes would reset the connection
		io.WriteString(c, "HTTP/1.0 200 OK\r\n\r\n"+greet.Hello()+" #"+os.Getenv("HR_GENERATION")+"\n")
		c.Close()
	}
}
