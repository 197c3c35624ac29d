package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/hotreflex/hr/internal/place"
)

// scratchPrefix is how the names of directories for temporary files begin.
const scratchPrefix = "hr-build-"

// newScratch makes the directory for temporary files of one build, where the
// client has its own. A go command or a linker that is killed leaves its files
// behind, so they are all made in there and go with it; what a killed daemon
// leaves goes with the next one (Sweep).
func (e *Engine) newScratch(env []string) (*place.Scratch, error) {
	for _, base := range scratchBases(env) {
		if s, err := place.NewScratch(base, scratchPrefix); err == nil {
			return s, nil
		}
	}
	d, err := place.Open(e.ownScratch())
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return place.NewScratch(d.Path(), scratchPrefix)
}

// ownScratch is where temporary files go if there is no better place.
func (e *Engine) ownScratch() string {
	return filepath.Join(filepath.Dir(e.opt.Archives.Dir()), "tmp")
}

// scratchBases are the directories for temporary files. One in which others
// could swap what we make is none: the compiler's output lies in there.
func scratchBases(env []string) []string {
	var bases []string
	for _, base := range []string{getenv(env, "TMPDIR"), os.TempDir()} {
		if filepath.IsAbs(base) && fileExists(base) && place.Check(base) == nil && !slices.Contains(bases, base) {
			bases = append(bases, base)
		}
	}
	return bases
}

// Sweep removes what killed processes have left where the builds of this target
// have their files, once for each; prog is the target's as it is, and may be
// nil. It is for the time after a build.
func (e *Engine) Sweep(t *Target, prog *Program) {
	if _, swept := e.swept.LoadOrStore(t.key, true); !swept && e.opt.Incremental != nil {
		e.sweepLive(t, prog)
	}
	for _, base := range append(scratchBases(t.job.Env), e.ownScratch()) {
		if _, swept := e.swept.LoadOrStore(base, true); !swept {
			place.Sweep(base, scratchPrefix)
		}
	}
}

// tempEnv are the variables that say where temporary files go, on Unix and on
// Windows (os.TempDir).
var tempEnv = []string{"TMPDIR", "TMP", "TEMP"}

// within returns the target for one build, whose tools have their temporary
// files in s. What names the target and its packages was found out before.
func (t *Target) within(s *place.Scratch) *Target {
	in := *t
	in.scratch = s.Path()
	in.job.Env = slices.Clone(t.job.Env)
	for _, name := range tempEnv {
		in.job.Env = append(in.job.Env, name+"="+s.Path())
	}
	return &in
}

// tempDir makes a directory for temporary files of one step of a build.
func (t *Target) tempDir(pattern string) (string, error) {
	dir, err := os.MkdirTemp(t.scratch, pattern)
	if err != nil {
		return "", fmt.Errorf("make a directory for temporary files: %w", err)
	}
	return dir, nil
}
