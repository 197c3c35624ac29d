package main

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hotreflex/hr/internal/engine"
	"github.com/hotreflex/hr/internal/protocol"
)

// envFiles are the files of --env-file. Of two files the later wins, and hr's
// own environment wins over both, as with node --env-file. The loop owns them.
type envFiles struct {
	base  []string // hr's environment
	names map[string]bool
	paths []string // absolute
	vars  []string // what the files add, as read last
}

func newEnvFiles(job engine.Job, files []string) (*envFiles, error) {
	e := &envFiles{base: job.Env, names: map[string]bool{}}
	for _, kv := range job.Env {
		name, _, _ := strings.Cut(kv, "=")
		e.names[name] = true
	}
	for _, f := range files {
		if !filepath.IsAbs(f) {
			f = filepath.Join(job.Dir, f)
		}
		e.paths = append(e.paths, f)
	}
	if _, err := e.read(); err != nil {
		return nil, err
	}
	return e, nil
}

// read reads the files and reports whether the program would see another
// environment. After an error the last good one stays.
func (e *envFiles) read() (changed bool, err error) {
	if len(e.paths) == 0 {
		return false, nil
	}
	all := map[string]string{}
	for _, path := range e.paths {
		one, err := readEnvFile(path)
		if err != nil {
			return false, &protocol.Error{Code: protocol.CodeUsage, Message: "-env-file: " + err.Error(), Hint: "a line is NAME=value"}
		}
		maps.Copy(all, one)
	}
	var vars []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !e.names[name] {
			vars = append(vars, name+"="+all[name])
		}
	}
	changed = !slices.Equal(vars, e.vars)
	e.vars = vars
	return changed, nil
}

// readEnvFile names the file in every error.
func readEnvFile(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New(path + " does not exist")
	}
	if err != nil {
		return nil, err
	}
	vars, err := parseEnv(text)
	if err != nil {
		return nil, errors.New(path + ": " + err.Error())
	}
	return vars, nil
}

// environ is the program's environment.
func (e *envFiles) environ() []string {
	if len(e.vars) == 0 {
		return e.base
	}
	return append(slices.Clip(e.base), e.vars...)
}

// has reports whether a path is one of the files.
func (e *envFiles) has(path string) bool { return slices.Contains(e.paths, path) }

// dirs are the directories to watch.
func (e *envFiles) dirs() []string {
	var out []string
	for _, p := range e.paths {
		out = append(out, filepath.Dir(p))
	}
	return out
}
