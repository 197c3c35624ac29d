//go:build unix

package supervisor

import (
	"os"
	"syscall"
)

var defaultStopSignal os.Signal = syscall.SIGTERM

const errTextBusy = syscall.ETXTBSY

// signal reaches every process of the program's group.
func (g *Generation) signal(sig os.Signal) {
	n, ok := sig.(syscall.Signal)
	if !ok {
		n = syscall.SIGTERM
	}
	syscall.Kill(-g.Pid, n) // ESRCH: they are gone, which is what was wanted
}
