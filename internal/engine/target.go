package engine

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/tags"
)

// Target is a job with everything found out that its words stand for: the
// toolchain, the build context and the main package.
type Target struct {
	job      order.Job
	tool     *Toolchain
	flags    *flagSet
	context  tags.Context
	patterns []string // for the go command
	key      string
	scratch  string // for temporary files, while a build runs; empty for the usual place
}

// Key names the program: two jobs with one key share everything.
func (t *Target) Key() string { return t.key }

// Context returns the build context.
func (t *Target) Context() tags.Context { return t.context }

// resolve finds out what the job's words stand for, without a go command once
// the toolchain is known.
func (e *Engine) resolve(ctx context.Context, job order.Job) (*Target, error) {
	t := &Target{job: job}
	var err error
	if t.tool, err = e.tools.find(ctx, job.Dir, job.Env); err != nil {
		return nil, err
	}
	if err := t.takeFlags(); err != nil {
		return nil, err
	}
	if t.job.Plain {
		t.flags.refuse("profile prod is plain")
		t.flags.unhandled = "the prod profile is a plain go build"
	}
	t.context = t.tool.context(t.flags)
	if err := t.findPackage(); err != nil {
		return nil, err
	}
	h := newHash("program")
	h.add(t.toolID(), t.context.Key(), job.Dir, fmt.Sprint(t.job.Plain), fmt.Sprint(graph.Version))
	h.add(t.patterns...)
	// What the go command makes of its caller's variables; go.mod is an input.
	for _, k := range sortedKeys(t.tool.Env) {
		if k != "GOGCCFLAGS" { // names a directory that is made anew each time
			h.add(k, t.tool.Env[k])
		}
	}
	t.key = h.sum()
	return t, nil
}

// takeFlags joins the flags of GOFLAGS, of the profile and of the job.
func (t *Target) takeFlags() error {
	goflags, err := tags.SplitQuoted(t.tool.Env["GOFLAGS"])
	if err != nil {
		return &order.Error{Text: fmt.Sprintf("go: parsing $GOFLAGS: %v", err)}
	}
	if t.job.Profile != "" {
		if err := t.takeProfile(goflags); err != nil {
			return err
		}
	}
	t.flags, err = parseFlags(goflags, t.job.Flags)
	return err
}

// takeProfile makes the profile's flags those of the job.
func (t *Target) takeProfile(goflags []string) error {
	j := &t.job
	list, err := tags.Split(tags.Value(slices.Concat(goflags, j.Flags), "tags"))
	if err != nil {
		return err
	}
	profile, named := tags.Lookup(j.Profile)
	if !named {
		profile = tags.Select(list)
	}
	if j.Debug && !profile.Plain {
		profile = profile.Debug()
	}
	flags := profile.Args(goflags, j.Flags)
	if named && !tags.Given(j.Flags, "tags") && len(profile.Tags) > 0 {
		// The tags of GOFLAGS hold, but for those that name another profile.
		list = slices.DeleteFunc(list, func(t string) bool { return slices.Contains(tags.Names(), t) })
		flags = append(flags, "-tags="+strings.Join(append(list, profile.Tags...), ","))
	}
	j.Flags, j.Plain = flags, j.Plain || profile.Plain
	if profile.Plain || j.Debug {
		j.Linker = "go"
	}
	return nil
}

// stamped reports whether go build writes the state of a repository into the
// program (cmd/go/internal/load/pkg.go, setBuildInfo; its list of systems).
func (t *Target) stamped() bool {
	if !t.flags.stamp {
		return false
	}
	for dir := t.job.Dir; ; dir = filepath.Dir(dir) {
		for _, name := range []string{".git", ".hg", ".bzr", ".svn", ".fslckout", "_FOSSIL_"} {
			if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
				return true
			}
		}
		if dir == filepath.Dir(dir) {
			return false
		}
	}
}

// toolID names the toolchain: a release has one compiler.
func (t *Target) toolID() string {
	return t.tool.Env["GOVERSION"] + " " + t.tool.GOROOT() + " " + t.tool.Env["GOEXPERIMENT"] + " " + t.tool.Env["GOTOOLDIR"]
}

// machine names what the compiler makes code for. A package without imports has
// nothing else in its action id that tells one machine from another.
func (t *Target) machine() string {
	c := t.context
	return strings.Join(append([]string{c.GOOS, c.GOARCH, c.ArchLevel}, c.Experiments...), " ")
}

// loadConfig returns how the graph is loaded for this target.
func (e *Engine) loadConfig(t *Target) graph.LoadConfig {
	return graph.LoadConfig{
		Dir:      t.job.Dir,
		Env:      withPWD(t.job.Env, t.job.Dir),
		Flags:    t.job.Flags,
		AllFlags: t.flags.words,
		DepFlags: depFlags(t.job.Flags),
		Patterns: t.patterns,
		Context:  t.context,
		GOROOT:   t.tool.GOROOT(),
		Work:     t.tool.Env["GOWORK"],
		Settings: t.settings(),
		Memo:     e.memo(),
		Go:       t.tool.Go,
		Self:     e.opt.Self,
	}
}

// settings returns the files of the go command's own settings: that of go env -w
// and the toolchain's.
func (t *Target) settings() []string {
	files := []string{filepath.Join(t.tool.GOROOT(), "go.env")}
	if file := t.tool.Env["GOENV"]; filepath.IsAbs(file) { // or "off"
		files = append(files, file)
	}
	return files
}

// depFlags leaves out the compiler flags that only hold for the packages that
// the user named.
func depFlags(flags []string) []string {
	return slices.DeleteFunc(slices.Clone(flags), func(w string) bool {
		value, ok := strings.CutPrefix(strings.TrimLeft(w, "-"), "gcflags=")
		return ok && (!strings.Contains(value, "=") || strings.HasPrefix(strings.TrimSpace(value), "-"))
	})
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// globMatch is path.Match; a bad pattern matches nothing, and the go command
// refused it before.
func globMatch(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}

// binKey is the name of an artifact among the files: its action id, and the
// program's own name, which ps and tracebacks show.
func binKey(id, name string) string { return id + "/" + name }

// ArtifactFile returns the name of an artifact among the files.
func ArtifactFile(a order.Artifact) string { return binKey(a.Key, filepath.Base(a.Path)) }
