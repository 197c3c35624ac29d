package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/spf13/pflag"

	"github.com/hotreflex/hr/internal/event"
	"github.com/hotreflex/hr/internal/printable"
	"github.com/hotreflex/hr/internal/protocol"
)

// restartVerb is hr restart: the program of the hr that runs here is started
// again, without a build. It returns when the program is ready.
func restartVerb(c *command, args []string) int {
	data, asJSON, code, ok := c.chosen("restart", args)
	if !ok {
		return code
	}
	begin := time.Now()
	a, err := askHR(context.Background(), data, "restart")
	if err == nil && a.Error != "" {
		err = &protocol.Error{Code: protocol.CodeInternal, Message: a.Error}
	}
	if err != nil {
		return c.fail(err)
	}
	if asJSON {
		json.NewEncoder(c.stdout).Encode(map[string]any{"pid": a.Pid, "dir": data.Dir, "generation": a.Generation, "took": time.Since(begin)})
		return exitOK
	}
	printable.Fprintf(c.stdout, "restarted the program of %s in %s (#%d, process %d)\n", data.Dir, event.Duration(time.Since(begin)), a.Generation, a.Pid)
	return exitOK
}

// chosen reads the words of a verb that talks to one running hr, and finds it.
func (c *command) chosen(verb string, args []string) (data *reportData, asJSON bool, code int, ok bool) {
	fs := pflag.NewFlagSet(verb, pflag.ContinueOnError)
	fs.BoolVar(&asJSON, "json", false, "print it as JSON")
	pid := fs.Int("pid", 0, "the hr with this process id, and not the one of this directory")
	if code, ok := c.parse(fs, verb, args); !ok {
		return nil, asJSON, code, false
	}
	if fs.NArg() > 0 {
		return nil, asJSON, c.fail(&protocol.Error{Code: protocol.CodeUsage, Message: "hr " + verb + " takes no " + fs.Arg(0), Hint: "hr help " + verb + " lists the flags"}), false
	}
	data, err := findReport(*pid, true)
	if err != nil {
		return nil, asJSON, c.fail(err), false
	}
	return data, asJSON, 0, true
}
