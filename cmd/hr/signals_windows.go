package main

import "os"

// stopSignals end hr.
var stopSignals = []os.Signal{os.Interrupt}

func signalCode(os.Signal) int { return exitInterrupted }
