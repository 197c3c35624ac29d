package watch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

const (
	// reflexSilence is how long reflex keeps every event back: a constant in
	// its batch function, at v0.3.1 as ever since.
	reflexSilence = 300 * time.Millisecond
	// reflexSettle: reflex does not tell when it has placed its watches. It
	// walks some 100,000 directories in this time; what was written meanwhile
	// is found by the comparison that follows.
	reflexSettle = time.Second
	// reflexStop is the time to end after an interrupt; reflex itself gives its
	// commands at most twice 500 ms.
	reflexStop = 2 * time.Second
	// reflexDeaths within reflexLife make us stop to start it again: fsnotify
	// errors are fatal to reflex, and some of them (no watch left) stay.
	reflexDeaths = 3
	reflexLife   = time.Minute
	// reflexMark sets a reported path apart from what else reflex prints.
	reflexMark = "changed:"
)

// reflexSource has the real reflex watch, one process a root, and reads what it
// reports. Reflex cannot tell of a removed file, nor of the files in a new
// directory, and it gives events no order; so all it says comes with opLost,
// and sync, which cannot be proved, is opLost alone.
type reflexSource struct {
	inbox  *inbox
	opts   Options
	binary string
	toPoll func(root, bool)
	ctx    context.Context // ended by close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu    sync.Mutex // guards roots
	roots map[string]root
}

func newReflex(in *inbox, o Options, toPoll func(root, bool)) (source, error) {
	dir := "."
	if dirs := append(append([]string{}, o.Trees...), o.Dirs...); len(dirs) > 0 {
		dir = dirs[0]
	}
	binary, err := FindReflex(dir)
	if err != nil {
		return nil, err
	}
	if _, err := exec.LookPath("printf"); err != nil {
		return nil, fmt.Errorf("reflex needs printf to report with: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &reflexSource{inbox: in, opts: o, binary: binary, toPoll: toPoll, ctx: ctx, cancel: cancel, roots: map[string]root{}}, nil
}

// NoReflexError says where the reflex program was looked for in vain.
type NoReflexError struct {
	Tried string // what the last place answered
}

func (e *NoReflexError) Error() string {
	return "there is no reflex in $HR_REFLEX, in PATH or among the module's tools (" + e.Tried + ")"
}

// Hint is the command that installs reflex.
func (e *NoReflexError) Hint() string {
	return "go install github.com/cespare/reflex@v0.3.1, or in your module: go get -tool github.com/cespare/reflex@v0.3.1"
}

// FindReflex returns the path of the reflex program: $HR_REFLEX if that is
// set, else the one in PATH, else the tool of the module that dir lies in,
// which the go command builds if need be.
func FindReflex(dir string) (string, error) {
	if name := os.Getenv("HR_REFLEX"); name != "" {
		path, err := exec.LookPath(name)
		if err != nil {
			return "", fmt.Errorf("HR_REFLEX: %w", err)
		}
		return filepath.Abs(path)
	}
	if path, err := exec.LookPath("reflex"); err == nil {
		return filepath.Abs(path)
	}
	cmd := exec.Command("go", "tool", "-n", "reflex")
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	path := strings.TrimSpace(string(out))
	if err == nil && path != "" {
		return path, nil
	}
	tried := strings.TrimSpace(stderr.String())
	if tried == "" {
		tried = fmt.Sprint(err)
	}
	return "", &NoReflexError{Tried: tried}
}

func (s *reflexSource) add(r root) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.roots[r.path]; ok && (old.tree || !r.tree) || s.ctx.Err() != nil {
		return
	}
	s.roots[r.path] = r
	s.wg.Go(func() { s.follow(r) })
}

// follow keeps a reflex running on r.
func (s *reflexSource) follow(r root) {
	var deaths []time.Time
	for {
		err := s.tap(r)
		if s.ctx.Err() != nil {
			return
		}
		now := time.Now()
		s.inbox.put(event{op: opLost, at: now})
		deaths = append(deaths, now)
		if n := len(deaths); n >= reflexDeaths && now.Sub(deaths[n-reflexDeaths]) < reflexLife {
			s.opts.Log("reflex ends again and again (%v): polling %s every %v instead", err, r.path, pollInterval)
			s.toPoll(r, false)
			return
		}
		s.opts.Log("reflex has ended (%v): starting it again and comparing every input", err)
	}
}

// tap runs one reflex until it ends.
func (s *reflexSource) tap(r root) error {
	cmd := exec.CommandContext(s.ctx, s.binary, s.args(r)...)
	cmd.Dir = r.path
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = reflexStop
	ownGroup(cmd)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start reflex: %w", err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start reflex: %w", err)
	}
	started := time.AfterFunc(reflexSettle, func() { s.inbox.put(event{op: opLost, at: time.Now()}) })
	defer started.Stop()
	last := "it said nothing"
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if path, ok := strings.CutPrefix(line, reflexMark); ok {
			s.report(r, path, time.Now())
		} else if line != "" {
			last = line
		}
		if err != nil {
			break
		}
	}
	if err := cmd.Wait(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return fmt.Errorf("%w: %s", err, last)
	}
	return errors.New(last)
}

// args has reflex run printf for each path. What Exclude prunes by name is
// pruned by reflex as well: it does so for patterns without an end.
func (s *reflexSource) args(r root) []string {
	args := []string{"-d", "none"}
	for _, name := range []string{".git", ".hg", ".jj", ".svn", ".bzr", "node_modules"} {
		if s.opts.Exclude(filepath.Join(r.path, name), true) {
			args = append(args, "-R", `(^|/)`+regexp.QuoteMeta(name)+`/`)
		}
	}
	if !r.tree {
		args = append(args, "-R", `^([^/.]|\.[^/])[^/]*/`) // every directory but ./, the root
	}
	return append(args, "--", "printf", reflexMark+`%s\n`, "{}")
}

// report passes on a path that reflex printed, relative to its root.
func (s *reflexSource) report(r root, rel string, at time.Time) {
	path := filepath.Join(r.path, filepath.FromSlash(rel))
	isDir := strings.HasSuffix(rel, "/")
	if path == r.path || s.excluded(r, path, isDir) {
		return
	}
	evs := []event{{op: opLost, at: at, held: reflexSilence}}
	if isDir {
		filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return nil // gone again, or not ours to read
			case p != path && s.opts.Exclude(p, d.IsDir()):
				if d.IsDir() {
					return fs.SkipDir
				}
				return nil
			}
			evs = append(evs, event{path: p, op: opFound, dir: d.IsDir(), at: at, held: reflexSilence})
			if d.IsDir() && !r.tree {
				return fs.SkipDir
			}
			return nil
		})
	} else {
		evs = append(evs, event{path: path, op: opWhole, at: at, held: reflexSilence})
	}
	s.inbox.put(evs...)
}

// excluded asks for path and every directory between it and the root.
func (s *reflexSource) excluded(r root, path string, dir bool) bool {
	for p := path; len(p) > len(r.path); p = filepath.Dir(p) {
		if s.opts.Exclude(p, dir || p != path) {
			return true
		}
	}
	return false
}

func (s *reflexSource) sync(context.Context) error {
	if s.ctx.Err() != nil {
		return errClosed
	}
	s.inbox.put(event{op: opLost, at: time.Now()})
	return nil
}

func (s *reflexSource) close() error {
	s.mu.Lock()
	s.cancel()
	s.mu.Unlock()
	s.wg.Wait()
	return nil
}
