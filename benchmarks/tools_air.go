package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// air is github.com/air-verse/air at a pinned version.
type air struct {
	watching
	label     string
	delay     int  // build.delay in ms; 0 is air's default, which is 1000
	interrupt bool // build.send_interrupt: air ends the program by SIGINT
	binary    string
}

// airModule: the newest release when the figures were set.
const airModule = "github.com/air-verse/air@v1.67.4"

func (t air) name() string  { return t.label }
func (t air) place() string { return t.label }

func (t air) start(_ context.Context, s *seat) error {
	config := filepath.Join(s.scratch, "air.toml")
	if err := os.WriteFile(config, []byte(t.config(s)), 0o644); err != nil {
		return err
	}
	var err error
	s.proc, err = start(t.label, s.src.dir, s.env, t.binary, "-c", config)
	return err
}

// config is what air init writes, with the program's package and arguments. A
// delay is written only if it is tuned: air takes 0 for its default.
func (t air) config(s *seat) string {
	build := strings.Join(append(append([]string{"go", "build"}, s.prog.goFlags()...), "-o", "./tmp/main", s.prog.pkg), " ")
	entry := []string{`"./tmp/main"`}
	for _, a := range s.args {
		entry = append(entry, fmt.Sprintf("%q", a))
	}
	text := "root = \".\"\ntmp_dir = \"tmp\"\n\n[build]\n"
	text += fmt.Sprintf("cmd = %q\nentrypoint = [%s]\n", build, strings.Join(entry, ", "))
	if t.delay > 0 {
		text += fmt.Sprintf("delay = %d\n", t.delay)
	}
	if t.interrupt {
		text += "send_interrupt = true\n"
	}
	return text
}
