package engine

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/order"
)

// killWait is how long a killed tool may hold its output open: it has no
// children that would, so any value that is not for ever does.
const killWait = 2 * time.Second

// compile runs the compiler for one package and returns the archive. A package
// that does not compile is an *Error with the text that the go command prints.
func (x *execution) compile(ctx context.Context, p *graph.Package, r *Recipe, id string) (Archive, error) {
	work, err := os.MkdirTemp(x.work, "pkg-")
	if err != nil {
		return Archive{}, fmt.Errorf("compile %s: %w", p.Path, err)
	}
	pending, err := x.e.opt.Archives.New(id)
	if err != nil {
		return Archive{}, fmt.Errorf("compile %s: %w", p.Path, err)
	}
	defer pending.Abort()
	cfg, err := x.importConfig(work, p)
	if err != nil {
		return Archive{}, fmt.Errorf("compile %s: %w", p.Path, err)
	}
	if r, err = x.fz.recipe(r, p); err != nil {
		return Archive{}, fmt.Errorf("compile %s: %w", p.Path, err)
	}
	argv, err := r.argv(work, pending.Path(), cfg)
	if err != nil {
		return Archive{}, fmt.Errorf("compile %s: %w", p.Path, err)
	}
	cmd := exec.CommandContext(ctx, x.t.tool.Tool("compile"), argv...)
	cmd.Dir = x.t.job.Dir
	cmd.Env = x.env
	cmd.WaitDelay = killWait
	killGroup(cmd)
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return Archive{}, ctx.Err()
	}
	// The compiler read what the action id says only if the files still are as
	// the snapshot knows them. Until that is known the archive has no name: under
	// its id it would be found again when a file goes back to what it was.
	if moved := p.MovedFiles(x.fz.files); len(moved) > 0 {
		return Archive{}, &movedError{moved}
	}
	if err != nil {
		if len(out) == 0 {
			return Archive{}, fmt.Errorf("compile %s: %w", p.Path, err)
		}
		return Archive{}, &order.Error{Text: compilerText(p, x.t.job.Dir, x.fz.text(string(out)))}
	}
	fp, err := fingerprintOf(pending.Path())
	if err != nil {
		return Archive{}, fmt.Errorf("compile %s: %w", p.Path, err)
	}
	file, err := pending.Commit()
	if err != nil {
		return Archive{}, fmt.Errorf("compile %s: %w", p.Path, err)
	}
	return Archive{ID: id, File: file, Fingerprint: fp}, nil
}

// compilerText gives the compiler's output the form of the go command: a line
// with the package, then paths relative to the client's directory where that
// is shorter (cmd/go/internal/work/shell.go, reportCmd).
func compilerText(p *graph.Package, cwd, out string) string {
	for dir := p.Dir; ; dir = filepath.Dir(dir) {
		if short := shortPath(cwd, dir); short != dir {
			out = replacePrefix(out, dir, short)
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	return "# " + p.Path + "\n" + strings.TrimRight(out, "\n")
}

// shortPath returns path relative to cwd if that is shorter
// (cmd/go/internal/base/path.go, ShortPath).
func shortPath(cwd, path string) string {
	if rel, err := filepath.Rel(cwd, path); err == nil && len(rel) < len(path) {
		return rel
	}
	return path
}

// replacePrefix replaces old where a path can begin: at the start of a line or
// after white space.
func replacePrefix(s, old, short string) string {
	var b bytes.Buffer
	for s != "" {
		i := strings.Index(s, old)
		if i < 0 {
			break
		}
		b.WriteString(s[:i])
		if i == 0 && b.Len() == 0 || i > 0 && strings.IndexByte(" \t\n", s[i-1]) >= 0 {
			b.WriteString(short)
		} else {
			b.WriteString(old)
		}
		s = s[i+len(old):]
	}
	b.WriteString(s)
	return b.String()
}
