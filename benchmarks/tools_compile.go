package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kballard/go-shellquote"
)

// compileAlone does not bring a program up to date but does the part of it that
// none can leave out: the compiler by itself on the edited package, with the
// command line and the environment that the go command gives it. The program
// runs beside it and is asked, as it is while the others compile. Of a program it
// knows the leaf edit's package.
type compileAlone struct{}

func (compileAlone) name() string { return "compile-alone" }

// place is that of the go command, whose command line names files there.
func (compileAlone) place() string { return plainPlace }

// start learns the command line, once, and runs the program.
func (t compileAlone) start(ctx context.Context, s *seat) error {
	if s.compile == nil {
		if err := t.learn(ctx, s); err != nil {
			return err
		}
	}
	return execBinary(s, t.binary(s))
}

func (compileAlone) binary(s *seat) string { return filepath.Join(s.scratch, "main") }

// learn builds the program and takes the compiler's command line from what the go
// command prints.
//
// What the command reads, importcfg foremost, lies in the go command's work
// directory, which is kept below the seat's scratch directory and goes with it.
func (t compileAlone) learn(ctx context.Context, s *seat) error {
	// No sample has the first mark: the go command has to compile the package.
	e := s.prog.edits[s.prog.leaf].marked(firstMark)
	if _, err := s.src.save(e); err != nil {
		return err
	}
	argv := append([]string{"go", "build", "-work", "-x"}, s.prog.goFlags()...)
	argv = append(argv, "-ldflags=-s -w", "-buildvcs=false", "-o", t.binary(s), s.prog.pkg)
	env := append(slices.Clip(s.env), "GOTMPDIR="+s.scratch)
	p, err := finish(ctx, s.src.dir, env, argv...)
	if err != nil {
		return err
	}
	c, err := findCompile(p.lines, s.src.dir, e.file)
	if err != nil {
		return err
	}
	settings, err := goSettings(ctx, s.src.dir, s.env)
	if err != nil {
		return err
	}
	c.env = slices.Concat(s.env, settings, c.env)
	s.compile = &c
	return c.writeTo(filepath.Join(s.scratch, "compiled.a"))
}

// goSettings is what the go command adds to the environment of the tools that it
// starts: all that it knows by go env (cmd/go/main.go, invoke), which may come
// from a file.
func goSettings(ctx context.Context, dir string, env []string) ([]string, error) {
	p, err := finish(ctx, dir, env, "go", "env", "-json")
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	for _, l := range p.lines {
		text.WriteString(l.text)
	}
	var known map[string]string
	if err := json.Unmarshal([]byte(text.String()), &known); err != nil {
		return nil, fmt.Errorf("read go env: %w", err)
	}
	var settings []string
	for _, name := range slices.Sorted(maps.Keys(known)) {
		settings = append(settings, name+"="+known[name])
	}
	return settings, nil
}

// saved runs the compiler.
func (compileAlone) saved(ctx context.Context, s *seat) error {
	_, err := command(ctx, s.compile.dir, s.compile.env, s.compile.argv...)
	return err
}

func (compileAlone) stop(s *seat) {
	s.proc.stop()
	s.proc = nil
}

// updates tells whether the seat's tool brings the program up to date.
func (s *seat) updates() bool {
	_, alone := s.tool.(compileAlone)
	return !alone
}

// compileOnce saves an edit and times the compiler, from its start to its exit:
// no response shows the save.
func (s *seat) compileOnce(ctx context.Context, e edit) (values, error) {
	if _, err := s.src.save(e); err != nil {
		return nil, err
	}
	asking, enough := context.WithCancel(ctx)
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		s.probe.until(asking, e.path, func(string) bool { return false })
	}()
	begin := time.Now()
	err := s.tool.saved(ctx, s)
	took := time.Since(begin)
	enough()
	<-asked
	if err != nil {
		return nil, s.fail("compile "+e.file, err)
	}
	return values{unitTime: float64(took.Nanoseconds())}, nil
}

// compileCommand is the go command's call of the compiler for a package.
type compileCommand struct {
	dir  string
	env  []string
	argv []string
}

// findCompile finds in the output of go build -work -x, called in dir, the
// compile that has the file, a slash-separated path below dir, among its sources.
//
// cmd/go/internal/work/shell.go prints the commands: the work directory as
// $WORK, paths below the current directory with a dot unless they need quotes, a
// change of directory as a line of its own, and variables that are set for the
// command before it: the result has these alone for its environment, and PWD.
func findCompile(lines []line, dir, file string) (compileCommand, error) {
	var work string
	for _, l := range lines {
		if w, ok := strings.CutPrefix(l.text, "WORK="); ok && work == "" {
			work = w
		}
		if to, ok := strings.CutPrefix(l.text, "cd "); ok {
			dir = strings.ReplaceAll(to, "$WORK", work)
		}
		if !strings.Contains(l.text, "compile") || !strings.Contains(l.text, file[strings.LastIndex(file, "/")+1:]) {
			continue
		}
		words, err := shellquote.Split(l.text)
		if err != nil {
			continue // a line of a file that the go command writes is no command
		}
		c, sources := compileCommand{dir: dir, env: []string{"PWD=" + dir}}, false
		for _, w := range words {
			sources = sources || filepath.ToSlash(w) == "./"+file || w == filepath.Join(dir, filepath.FromSlash(file))
			w = strings.ReplaceAll(w, "$WORK", work)
			if len(c.argv) == 0 && strings.Contains(w, "=") {
				c.env = append(c.env, w)
			} else {
				c.argv = append(c.argv, w)
			}
		}
		if sources && len(c.argv) > 0 && strings.TrimSuffix(filepath.Base(c.argv[0]), ".exe") == "compile" {
			return c, nil
		}
	}
	return compileCommand{}, fmt.Errorf("find the compile of %s: go build -x does not show it", file)
}

// writeTo lets the command write its archive to a file.
func (c compileCommand) writeTo(name string) error {
	for i, w := range c.argv[:len(c.argv)-1] {
		if w == "-o" {
			c.argv[i+1] = name
			return nil
		}
	}
	return fmt.Errorf("compile command has no output: %s", short(strings.Join(c.argv, " ")))
}
