// Package protocol is the whole conversation between hr and hrd.
//
// It holds the messages and their typed client, and the ground they stand on:
// the run directory and its socket, who may listen there, how a client finds
// the daemon or starts it, the identity of an executable, and the one shape of
// errors that users see. It serves nothing and builds nothing: package daemon
// answers the requests. Called by cmd/hr, cmd/hrd and daemon. Its functions may
// be called from several goroutines and several processes at once.
package protocol
