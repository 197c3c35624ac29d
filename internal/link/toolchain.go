package link

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// waitDelay is how long a killed tool may keep its output pipes open before
// they are closed for it; the tool forks gcc at most, which dies with the group.
const waitDelay = time.Second

// Toolchain runs the Go distribution's own linker as the go command does
// (cmd/go/internal/work/gc.go, gcToolchain.ld). It keeps no state.
type Toolchain struct{}

// NewToolchain returns the linker that handles every request.
func NewToolchain() *Toolchain { return &Toolchain{} }

// ToolError is a link that the tool itself refused or did not survive.
type ToolError struct {
	Output []byte // what the tool said, standard output and standard error
	Err    error  // how the process ended
}

func (e *ToolError) Error() string {
	text := strings.TrimSpace(string(e.Output))
	if text == "" {
		return "link: " + e.Err.Error()
	}
	return "link: " + e.Err.Error() + "\n" + text
}

func (e *ToolError) Unwrap() error { return e.Err }

// Link runs r.Tool in r.Dir and moves its output to r.Out. GOROOT is passed as
// r.GOROOT, unless r.Env has an entry of its own: an empty one is how the go
// command says -trimpath. A cancelled ctx kills the tool and all its children.
func (t *Toolchain) Link(ctx context.Context, r Request) (Result, error) {
	start := time.Now()
	work, err := os.MkdirTemp(r.Temp, "hr-link-")
	if err != nil {
		return Result{}, fmt.Errorf("link: make work directory: %w", err)
	}
	defer os.RemoveAll(work)
	cfg := filepath.Join(work, "importcfg.link")
	if err := os.WriteFile(cfg, ImportConfig(r), 0o600); err != nil {
		return Result{}, fmt.Errorf("link: write import configuration: %w", err)
	}
	// The tool unlinks what it finds at -o, so a reserved name beside Out is
	// enough, and the rename stays on one file system.
	tmp, err := os.CreateTemp(filepath.Dir(r.Out), filepath.Base(r.Out)+".link-*")
	if err != nil {
		return Result{}, fmt.Errorf("link: reserve output: %w", err)
	}
	tmp.Close()
	defer os.Remove(tmp.Name())

	args := []string{"-o", tmp.Name(), "-importcfg", cfg}
	if r.BuildID != "" {
		args = append(args, "-buildid="+r.BuildID)
	}
	args = append(args, r.Flags...)
	args = append(args, r.Main.File)
	cmd := exec.CommandContext(ctx, r.Tool, args...)
	cmd.Dir = r.Dir
	cmd.Env = toolEnv(r, work)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = waitDelay
	killGroup(cmd)
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return Result{}, ctx.Err()
		}
		return Result{}, &ToolError{Output: out.Bytes(), Err: err}
	}
	if err := os.Rename(tmp.Name(), r.Out); err != nil {
		return Result{}, fmt.Errorf("link: move output: %w", err)
	}
	return Result{Linker: "go", Mode: "full", Took: time.Since(start)}, nil
}

// ImportConfig returns the importcfg.link text of r
// (cmd/go/internal/work/exec.go, writeLinkImportcfg).
func ImportConfig(r Request) []byte {
	var b bytes.Buffer
	main := false
	for _, p := range r.Packages {
		fmt.Fprintf(&b, "packagefile %s=%s\n", p.Path, p.File)
		main = main || p.File == r.Main.File
	}
	if !main && r.Main.Path != "" {
		fmt.Fprintf(&b, "packagefile %s=%s\n", r.Main.Path, r.Main.File)
	}
	if r.ModInfo != "" {
		b.WriteString("modinfo " + strconv.Quote(r.ModInfo) + "\n")
	}
	return b.Bytes()
}

// toolEnv has the tool make its own temporary files in work: it cannot remove
// them when it is killed.
func toolEnv(r Request, work string) []string {
	env := slices.Clone(r.Env)
	if env == nil {
		env = os.Environ()
	}
	if r.GOROOT != "" && !slices.ContainsFunc(r.Env, func(kv string) bool { return strings.HasPrefix(kv, "GOROOT=") }) {
		env = append(env, "GOROOT="+r.GOROOT)
	}
	for _, name := range []string{"TMPDIR", "TMP", "TEMP"} { // os.TempDir
		env = append(env, name+"="+work)
	}
	return env
}
