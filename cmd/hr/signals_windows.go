package main

import (
	"os"
	"strings"
)

// stopSignals end hr.
var stopSignals = []os.Signal{os.Interrupt}

func signalCode(os.Signal) int { return exitInterrupted }

// parseSignal reads a signal's name: Windows has but these two.
func parseSignal(name string) (os.Signal, bool) {
	switch strings.TrimPrefix(strings.ToUpper(name), "SIG") {
	case "INT":
		return os.Interrupt, true
	case "KILL":
		return os.Kill, true
	}
	return nil, false
}

// signalProcess can only kill on Windows.
func signalProcess(pid int, sig os.Signal) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return p.Signal(sig)
}
