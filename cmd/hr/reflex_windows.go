package main

import "os"

var resizeSignals []os.Signal

// openOutput returns both ends of a pipe: there is no pseudoterminal that a
// program could be given as a file.
func openOutput() (ours, theirs *os.File, err error) { return os.Pipe() }

func resizeOutput(_, _ *os.File) {}

// stdin is empty.
func (s *reflexStream) stdin(*os.File) *os.File { return nil }

// interruptSignal is what asks a command to end.
func interruptSignal() os.Signal { return os.Interrupt }

// interruptGroup does nothing: the kill follows.
func interruptGroup(int) {}

// hangUpGroup does nothing: there are no sessions.
func hangUpGroup(int) {}
