package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/tools/go/packages"

	"github.com/hotreflex/hr/internal/exact"
)

// go/packages runs the go command that PATH of its own process names, whatever
// environment it is given (os/exec, LookPath). A daemon has clients with other
// PATHs, and a PATH that it changed for one would hold for all. So a client whose
// go command is another one is listed for by a process of its own.

// listEnv tells such a process what it is.
const listEnv = "HR_GO_LIST"

// listEnd is how long a child may take to end when nobody wants its answer: it
// interrupts its go list, which has no reason to stay either.
const listEnd = 2 * time.Second

// listRequest is what the child is asked.
type listRequest struct {
	Dir      string            `json:"dir"`
	Env      []string          `json:"env"`
	Flags    []string          `json:"flags"`
	Patterns []string          `json:"patterns"`
	Mode     packages.LoadMode `json:"mode"`
}

// listAnswer is what it says: every package once.
type listAnswer struct {
	Error    string           `json:"error,omitempty"`
	Roots    []string         `json:"roots"` // ids
	Packages []*listedPackage `json:"packages"`
}

// listedPackage is what we read of a packages.Package, which has a JSON form
// without directory and module.
type listedPackage struct {
	ID, Name, PkgPath, Dir, ExportFile             string
	GoFiles, OtherFiles, EmbedFiles, EmbedPatterns []string
	Errors                                         []packages.Error
	Module                                         *packages.Module
	Imports                                        map[string]string // id by path in the source
}

// listPackages asks the client's go command through go/packages.
func listPackages(ctx context.Context, cfg LoadConfig, flags []string, mode packages.LoadMode, patterns []string) ([]*packages.Package, error) {
	r := listRequest{cfg.Dir, append(slices.Clone(cfg.Env), "GOPACKAGESDRIVER=off"), flags, patterns, mode}
	list := r.list
	if ours, err := exec.LookPath("go"); cfg.Go != "" && (err != nil || ours != cfg.Go) {
		list = func(ctx context.Context) ([]*packages.Package, error) { return r.listApart(ctx, cfg) }
	}
	pkgs, err := list(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%w: %w", ErrList, err)
	}
	if err := spell(cfg.Dir, pkgs); err != nil {
		return nil, err
	}
	return pkgs, nil
}

// list asks in this process.
func (r listRequest) list(ctx context.Context) ([]*packages.Package, error) {
	return packages.Load(&packages.Config{Context: ctx, Mode: r.Mode, Dir: r.Dir, Env: r.Env, BuildFlags: r.Flags}, r.Patterns...)
}

// listApart asks in a process whose PATH begins with the directory of cfg.Go.
func (r listRequest) listApart(ctx context.Context, cfg LoadConfig) ([]*packages.Package, error) {
	if len(cfg.Self) == 0 {
		return nil, fmt.Errorf("%s is not the go command of this process", cfg.Go)
	}
	request, err := exact.Marshal(r)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, cfg.Self[0], append(slices.Clone(cfg.Self[1:]), "list")...)
	cmd.Env = append(os.Environ(), listEnv+"=1", "PATH="+filepath.Dir(cfg.Go)+string(filepath.ListSeparator)+os.Getenv("PATH"))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = listEnd
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	cmd.Cancel = stdin.Close // the child ends its go list first
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stdin.Write(append(request, '\n')) // one that is gone is told by Wait
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("list in another process: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	var a listAnswer
	if err := exact.Unmarshal(stdout.Bytes(), &a); err != nil {
		return nil, fmt.Errorf("read what was listed: %w", err)
	}
	return a.packages()
}

// ListsApart tells whether this process was started by listApart: main must call
// RunList then and nothing else.
func ListsApart(args []string) bool {
	return len(args) == 3 && args[2] == "list" && os.Getenv(listEnv) != ""
}

// RunList answers one request on in. When in ends before, nobody waits any more.
func RunList(in io.Reader, out io.Writer) int {
	var r listRequest
	requests := json.NewDecoder(in)
	var raw json.RawMessage
	if requests.Decode(&raw) != nil || exact.Unmarshal(raw, &r) != nil {
		return 1
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { // ends with the process
		io.Copy(io.Discard, in)
		cancel()
	}()
	os.Unsetenv(listEnv)
	pkgs, err := r.list(ctx)
	data, err := exact.Marshal(answerOf(pkgs, err))
	if err != nil {
		return 1
	}
	if _, err := out.Write(data); err != nil {
		return 1
	}
	return 0
}

func answerOf(roots []*packages.Package, err error) listAnswer {
	if err != nil {
		return listAnswer{Error: err.Error()}
	}
	var a listAnswer
	for _, p := range roots {
		a.Roots = append(a.Roots, p.ID)
	}
	packages.Visit(roots, nil, func(p *packages.Package) {
		q := &listedPackage{
			ID: p.ID, Name: p.Name, PkgPath: p.PkgPath, Dir: p.Dir, ExportFile: p.ExportFile,
			GoFiles: p.GoFiles, OtherFiles: p.OtherFiles, EmbedFiles: p.EmbedFiles, EmbedPatterns: p.EmbedPatterns,
			Errors: p.Errors, Module: p.Module, Imports: map[string]string{},
		}
		for path, imp := range p.Imports {
			q.Imports[path] = imp.ID
		}
		a.Packages = append(a.Packages, q)
	})
	return a
}

// errNotListed says that the answer names a package that it does not have.
var errNotListed = errors.New("a package is missing in what was listed")

func (a listAnswer) packages() ([]*packages.Package, error) {
	if a.Error != "" {
		return nil, errors.New(a.Error)
	}
	byID := map[string]*packages.Package{}
	for _, q := range a.Packages {
		byID[q.ID] = &packages.Package{
			ID: q.ID, Name: q.Name, PkgPath: q.PkgPath, Dir: q.Dir, ExportFile: q.ExportFile,
			GoFiles: q.GoFiles, OtherFiles: q.OtherFiles, EmbedFiles: q.EmbedFiles, EmbedPatterns: q.EmbedPatterns,
			Errors: q.Errors, Module: q.Module, Imports: map[string]*packages.Package{},
		}
	}
	for _, q := range a.Packages {
		for path, id := range q.Imports {
			imp := byID[id]
			if imp == nil {
				return nil, fmt.Errorf("%w: %s", errNotListed, id)
			}
			byID[q.ID].Imports[path] = imp
		}
	}
	var roots []*packages.Package
	for _, id := range a.Roots {
		p := byID[id]
		if p == nil {
			return nil, fmt.Errorf("%w: %s", errNotListed, id)
		}
		roots = append(roots, p)
	}
	return roots, nil
}
