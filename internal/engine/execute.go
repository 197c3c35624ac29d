package engine

import (
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hotreflex/hr/cache"
	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/order"
)

// plan is what to do with one package: compile it if its action id is unknown.
// It is made before anything runs and can be printed.
type plan struct {
	// set are the packages that may have to be compiled, imports first.
	set []string
	// why says for each package of the set what put it there.
	why map[string]string
}

// makePlan names the packages whose archives may be out of date.
func makePlan(s *graph.Snapshot, changes []graph.Change, extra []string) plan {
	pl := plan{why: map[string]string{}}
	for _, c := range changes {
		if c.Package != "" && !c.Touched() {
			pl.why[c.Package] = baseName(c.Path) + ": " + c.Why
		}
	}
	for _, path := range extra {
		if pl.why[path] == "" {
			pl.why[path] = "its archive is unknown"
		}
	}
	hit := map[string]bool{}
	for _, path := range s.Order() {
		p := s.Packages[path]
		on := pl.why[path] != ""
		for _, imp := range p.Imports {
			if hit[imp] && !on {
				on = true
				pl.why[path] = "imports " + imp
			}
		}
		if on {
			hit[path] = true
			pl.set = append(pl.set, path)
		}
	}
	return pl
}

// execution is one run of a plan.
type execution struct {
	e    *Engine
	t    *Target
	s    *graph.Snapshot
	env  []string
	work string // directory of its own, removed at the end
	fz   *frozen

	mu       sync.Mutex // guards fields below
	archives map[string]Archive
	results  map[string]order.PackageResult
}

// execute compiles what the plan names, wave by wave: a package is taken up when
// all its imports are done. It returns the archives of all Local packages and
// what happened to each of the set.
func (e *Engine) execute(ctx context.Context, t *Target, last *Program, s *graph.Snapshot, pl plan, fz *frozen) (map[string]Archive, []order.PackageResult, error) {
	work, err := t.tempDir("compile-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(work)
	x := &execution{
		e: e, t: t, s: s, work: work, fz: fz,
		env:      compileEnv(last.Link.Env, t),
		archives: make(map[string]Archive, len(last.Archives)),
		results:  map[string]order.PackageResult{},
	}
	for path, a := range last.Archives {
		if p := s.Packages[path]; p != nil && p.Local {
			x.archives[path] = a
		}
	}
	err = x.run(ctx, pl)
	results := make([]order.PackageResult, 0, len(pl.set))
	for _, path := range pl.set {
		if r, ok := x.results[path]; ok {
			results = append(results, r)
		}
	}
	return x.archives, results, err
}

// compileHeap is how far the compiler's heap may grow before it collects
// garbage. A process that lives for a second at most needs no collector: on
// caddy's largest package (500 MB) a tenth of the time and a quarter of the CPU
// go without it. Two at a time stay far below what a machine with Go has.
const compileHeap = "768MiB"

// compileEnv is the environment that the go command gives its tools. Neither of
// the collector's settings changes the output; the user's own win.
func compileEnv(recorded []string, t *Target) []string {
	env := append(slices.Clone(recorded), "GOROOT="+t.tool.GOROOT(), "PWD="+t.job.Dir)
	if getenv(env, "GOGC") == "" && getenv(env, "GOMEMLIMIT") == "" {
		env = append(env, "GOGC=off", "GOMEMLIMIT="+compileHeap)
	}
	return env
}

// run drives the workers. The first failure of ours stops everything; packages
// that do not compile only stop those above them, so that all errors are shown
// at once, as by the go command.
func (x *execution) run(ctx context.Context, pl plan) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	inSet := map[string]bool{}
	for _, path := range pl.set {
		inSet[path] = true
	}
	waits := map[string]int{}
	above := map[string][]string{}
	for _, path := range pl.set {
		for _, imp := range x.s.Packages[path].Imports {
			if inSet[imp] {
				waits[path]++
				above[imp] = append(above[imp], path)
			}
		}
	}
	ready := make(chan string, len(pl.set))
	for _, path := range pl.set {
		if waits[path] == 0 {
			ready <- path
		}
	}
	type done struct {
		path string
		err  error
	}
	finished := make(chan done)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(pl.set)) {
		wg.Go(func() {
			for path := range ready {
				finished <- done{path, x.one(ctx, path, pl.why[path])}
			}
		})
	}
	var texts []string
	var fault error
	for range pl.set {
		d := <-finished
		var user *order.Error
		switch {
		case d.err == nil:
		case errors.As(d.err, &user):
			texts = append(texts, user.Text)
		case fault == nil:
			fault = d.err
			cancel()
		}
		for _, up := range above[d.path] {
			if waits[up]--; waits[up] == 0 {
				ready <- up
			}
		}
	}
	close(ready)
	wg.Wait()
	if fault != nil {
		return fault
	}
	if len(texts) > 0 {
		slices.Sort(texts)
		return &order.Error{Text: strings.Join(texts, "\n")}
	}
	return nil
}

// one brings one package up to date.
func (x *execution) one(ctx context.Context, path, why string) error {
	p := x.s.Packages[path]
	if x.blocked(p) {
		x.note(order.PackageResult{Path: path, Action: "skipped", Why: "an import does not compile"})
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r, err := recipeOf(x.t, x.s, p)
	if err != nil {
		return &fallback{err.Error()}
	}
	id := x.t.actionID(x.s, p, r, x.fingerprint)
	x.mu.Lock()
	have := x.archives[path]
	x.mu.Unlock()
	if have.ID == id && fileExists(have.File) {
		x.note(order.PackageResult{Path: path, Action: "cut off", Why: "the export data of its imports is the same"})
		return nil
	}
	if a, ok := x.e.knownArchive(id); ok {
		x.keep(path, a)
		x.note(order.PackageResult{Path: path, Action: "reused", Why: why + "; compiled before"})
		return nil
	}
	start := time.Now()
	a, err := x.compile(ctx, p, r, id)
	took := time.Since(start)
	if err != nil {
		var user *order.Error
		if errors.As(err, &user) {
			x.note(order.PackageResult{Path: path, Action: "failed", Why: why, Took: took})
		}
		return err
	}
	x.e.rememberArchive(a)
	x.e.rememberBuilt(have)
	x.keep(path, a)
	x.note(order.PackageResult{Path: path, Action: "compiled", Why: why, Took: took})
	return nil
}

// blocked tells that an import of p failed or was skipped.
func (x *execution) blocked(p *graph.Package) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, imp := range p.Imports {
		if a := x.results[imp].Action; a == "failed" || a == "skipped" {
			return true
		}
	}
	return false
}

func (x *execution) note(r order.PackageResult) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.results[r.Path] = r
}

func (x *execution) keep(path string, a Archive) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.archives[path] = a
}

// fingerprint names the export data of an import. The archive of a package that
// never changes is named by the go command's cache after its content.
func (x *execution) fingerprint(path string) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	if a, ok := x.archives[path]; ok {
		return a.Fingerprint
	}
	if p := x.s.Packages[path]; p != nil {
		return baseName(p.Export)
	}
	return ""
}

// importConfig writes the import configuration of one compile: of its direct
// imports, which is all that the compiler reads.
func (x *execution) importConfig(work string, p *graph.Package) (string, error) {
	files := make(map[string]string, len(p.Imports))
	unknown := ""
	x.mu.Lock()
	for _, imp := range p.Imports {
		if a, ok := x.archives[imp]; ok {
			files[imp] = a.File
		} else if q := x.s.Packages[imp]; q != nil && q.Export != "" {
			files[imp] = q.Export
		} else if imp != "unsafe" {
			unknown = imp
		}
	}
	x.mu.Unlock()
	if unknown != "" {
		return "", &fallback{"the archive of " + unknown + " is unknown"}
	}
	for _, file := range files {
		if !fileExists(file) {
			return "", &fallback{lostArchive}
		}
	}
	return writeImportConfig(work, files)
}

// lostArchive is a reason: the go command trims its cache by age.
const lostArchive = "the go command's cache lost an archive"

// knownArchive returns the archive of an action id if it was compiled before,
// by us or by the go command.
func (e *Engine) knownArchive(id string) (Archive, bool) {
	file, ok := e.opt.Archives.Path(id)
	if e.opt.Store != nil {
		if record, found := e.opt.Store.Get(cache.Archive, id); found {
			fp, elsewhere, _ := strings.Cut(string(record), "\n")
			if !ok && fileExists(elsewhere) {
				file, ok = elsewhere, true
			}
			if ok {
				return Archive{ID: id, File: file, Fingerprint: fp}, true
			}
		}
	}
	if !ok {
		return Archive{}, false
	}
	fp, err := fingerprintOf(file)
	if err != nil {
		return Archive{}, false
	}
	return Archive{ID: id, File: file, Fingerprint: fp}, true
}

func (e *Engine) rememberArchive(a Archive) {
	if e.opt.Store != nil {
		e.opt.Store.Put(cache.Archive, a.ID, []byte(a.Fingerprint)) // lost, it is read from the archive
	}
}

// rememberBuilt notes where the go command keeps an archive that another one
// takes the place of: an undo wants it again. The file is named after its
// content.
func (e *Engine) rememberBuilt(a Archive) {
	if e.opt.Store == nil || a.File == "" || strings.HasPrefix(a.ID, "go:") {
		return
	}
	if _, ours := e.opt.Archives.Path(a.ID); !ours {
		e.opt.Store.Put(cache.Archive, a.ID, []byte(a.Fingerprint+"\n"+a.File))
	}
}

// fallback says that go build must do the work.
type fallback struct{ why string }

func (f *fallback) Error() string { return f.why }

func baseName(path string) string {
	if i := strings.LastIndexAny(path, `/\`); i >= 0 {
		return path[i+1:]
	}
	return path
}
