//go:build unix

package supervisor

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
)

// Heard leaves out the signals that were ignored when this process started, as
// SIGHUP is under nohup and SIGINT in the background of a script. Those stay so,
// for us and for the program: who asks for one has it delivered, and has his
// children start with its default. Go takes SIGTERM, SIGQUIT and most others
// over at its start, here as in the go command: of these nobody can tell.
func Heard(signals ...os.Signal) []os.Signal {
	return slices.DeleteFunc(slices.Clone(signals), func(s os.Signal) bool {
		n, ok := s.(syscall.Signal)
		return ok && (signal.Ignored(n) || ignoredByKernel(n))
	})
}
