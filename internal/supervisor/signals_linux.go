package supervisor

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// ignoredByKernel says whether a signal is ignored now: the runtime does not
// remember it of those that it leaves alone, such as SIGTSTP.
func ignoredByKernel(s syscall.Signal) bool {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(data)) {
		if v, ok := strings.CutPrefix(line, "SigIgn:"); ok {
			mask, err := strconv.ParseUint(strings.TrimSpace(v), 16, 64)
			return err == nil && mask&(1<<(s-1)) != 0
		}
	}
	return false
}
