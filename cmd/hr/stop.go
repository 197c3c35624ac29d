package main

import (
	"context"
	"encoding/json"

	"github.com/hotreflex/hr/internal/printable"
	"github.com/hotreflex/hr/internal/protocol"
)

// stopVerb is hr stop: the hr that runs here ends its program and itself, as
// after one Ctrl-C. It returns when the program has ended.
func stopVerb(c *command, args []string) int {
	data, asJSON, code, ok := c.chosen("stop", args)
	if !ok {
		return code
	}
	a, err := askHR(context.Background(), data, "stop")
	if err == nil && a.Error != "" {
		err = &protocol.Error{Code: protocol.CodeInternal, Message: a.Error}
	}
	if err != nil {
		return c.fail(err)
	}
	if asJSON {
		json.NewEncoder(c.stdout).Encode(map[string]any{"pid": data.Pid, "dir": data.Dir, "code": a.Code})
		return exitOK
	}
	printable.Fprintf(c.stdout, "stopped hr %d in %s (exit code %d)\n", data.Pid, data.Dir, a.Code)
	return exitOK
}
