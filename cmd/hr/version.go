package main

import (
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/spf13/pflag"

	"github.com/hotreflex/hr/internal/protocol"
)

// versionVerb is hr version.
func versionVerb(c *command, args []string) int {
	fs := pflag.NewFlagSet("version", pflag.ContinueOnError)
	asJSON := fs.Bool("json", false, "print it as JSON")
	if code, ok := c.parse(fs, "version", args); !ok {
		return code
	}
	if *asJSON {
		json.NewEncoder(c.stdout).Encode(map[string]string{"version": protocol.Version(), "buildID": protocol.BuildID(), "go": runtime.Version()})
		return exitOK
	}
	fmt.Fprintf(c.stdout, "hr %s (%s, %s/%s)\n", protocol.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return exitOK
}
