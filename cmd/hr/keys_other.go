//go:build !linux

package main

// keys are there on Linux only. Elsewhere the program has the terminal from its
// start, for the system does not tell when it wants it.
type keys struct{ pressed chan byte }

func newKeys(bool) *keys  { return &keys{} }
func (k *keys) begin()    {}
func (k *keys) lend(bool) {}
func (k *keys) close()    {}
