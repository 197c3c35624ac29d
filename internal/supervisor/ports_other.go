//go:build !linux

package supervisor

import (
	"context"
	"net"
	"strconv"
)

// ListensOn connects: no socket is held open between generations here, so
// who answers is the program, or a stranger that has its port.
func (g *Generation) ListensOn(ctx context.Context, port int) bool {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", net.JoinHostPort("localhost", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// ListeningPorts is not known on this system.
func (g *Generation) ListeningPorts() []int { return nil }
