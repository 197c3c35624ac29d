// Package config reads the service's settings from flags and environment.
//
// Build tags choose the mode: -tags=dev, -tags=test, -tags=prod, or none.
package config

import (
	"flag"
	"fmt"
)

// Config holds what can be set when the service starts.
type Config struct {
	Addr        string // address to listen on, as in "localhost:8080"
	LogRequests bool   // one line per request on standard output
}

// Load reads the command line. PORT, when set, replaces the default port.
// An unknown flag, or -h, prints the usage and ends the process.
func Load(args []string, getenv func(string) string) (Config, error) {
	cfg := Config{Addr: ":8080"}
	if port := getenv("PORT"); port != "" {
		cfg.Addr = ":" + port
	}

	flags := flag.NewFlagSet("ginsvc", flag.ExitOnError)
	flags.StringVar(&cfg.Addr, "addr", cfg.Addr, "address to listen on")
	flags.BoolVar(&cfg.LogRequests, "log-requests", logRequests, "print one line per request")
	flags.Parse(args)
	if flags.NArg() > 0 {
		return Config{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return cfg, nil
}
