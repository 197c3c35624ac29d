package main

import (
	"context"
	"path/filepath"
	"strings"
)

// reflex is github.com/cespare/reflex at a pinned version, around go build, as
// its README tells for servers.
type reflex struct {
	watching
	binary string
}

// reflexModule is the version of the tool line in go.mod.
const reflexModule = "github.com/cespare/reflex@v0.3.1"

func (reflex) name() string  { return "reflex" }
func (reflex) place() string { return "reflex" }

func (t reflex) start(_ context.Context, s *seat) (err error) {
	binary := filepath.Join(s.scratch, "main")
	words := append(append([]string{"go", "build"}, s.prog.goFlags()...), "-o", binary, s.prog.pkg, "&&", "exec", binary)
	script := strings.Join(append(words, s.args...), " ")
	s.proc, err = start("reflex", s.src.dir, s.env, t.binary, "-d", "none", "-s", "-r", `\.go$`, "--", "sh", "-c", script)
	return err
}
