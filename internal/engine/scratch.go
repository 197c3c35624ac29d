package engine

import (
	"cmp"
	"fmt"
	"os"
	"slices"
)

// scratch is the directory for temporary files of one build. A go command or a
// linker that is killed leaves its own behind, so they are all made in there and
// go with it.
type scratch string

// newScratch makes one where the client has its temporary files.
func newScratch(env []string) (scratch, error) {
	base := cmp.Or(getenv(env, "TMPDIR"), os.TempDir())
	if !fileExists(base) {
		base = ""
	}
	dir, err := os.MkdirTemp(base, "hr-build-")
	if err != nil {
		return "", fmt.Errorf("make a directory for temporary files: %w", err)
	}
	return scratch(dir), nil
}

// remove empties it twice: a tool that was killed may have had a child that
// wrote its last file meanwhile.
func (s scratch) remove() {
	if os.RemoveAll(string(s)) != nil {
		os.RemoveAll(string(s))
	}
}

// tempEnv are the variables that say where temporary files go, on Unix and on
// Windows (os.TempDir).
var tempEnv = []string{"TMPDIR", "TMP", "TEMP"}

// within returns the target for one build, whose tools have their temporary
// files in s. What names the target and its packages was found out before.
func (t *Target) within(s scratch) *Target {
	in := *t
	in.job.Env = slices.Clone(t.job.Env)
	for _, name := range tempEnv {
		in.job.Env = append(in.job.Env, name+"="+string(s))
	}
	return &in
}
