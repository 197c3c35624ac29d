//go:build unix

package main

import (
	"io"

	"github.com/rogpeppe/go-internal/testscript"
)

// The words of the scripts about hr at a terminal: up -keys gives it one.

var controlKeys = map[string]string{"ctrl-c": "\x03", "ctrl-\\": "\x1c", "ctrl-z": "\x1a"}

func cmdPress(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, 2, "press KEY [N]")
	key, ok := controlKeys[args[0]]
	if !ok {
		ts.Fatalf("unknown key %s", args[0])
	}
	_, err := io.WriteString(current(ts).stdin, key)
	ts.Check(err)
	if len(args) > 1 {
		poll(func() bool {
			io.WriteString(current(ts).stdin, key)
			return current(ts).over()
		})
		cmdEnds(ts, false, args[1:])
	}
}

func cmdHangUp(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 0, 0, "hang-up")
	ts.Check(current(ts).stdin.Close())
}
