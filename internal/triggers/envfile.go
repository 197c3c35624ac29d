package triggers

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hotreflex/hr/internal/protocol"
)

// EnvFiles are the files of --env-file. Of two files the later wins, and hr's
// own environment wins over both, as with node --env-file. The loop owns them.
type EnvFiles struct {
	base  []string // hr's environment
	names map[string]bool
	paths []string // absolute
	vars  []string // what the files add, as read last
	pipes map[string]map[string]string
}

// NewEnvFiles reads the files; a relative one lies in dir.
func NewEnvFiles(dir string, env, files []string) (*EnvFiles, error) {
	e := &EnvFiles{base: env, names: map[string]bool{}, pipes: map[string]map[string]string{}}
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		e.names[name] = true
	}
	for _, f := range files {
		if !filepath.IsAbs(f) {
			f = filepath.Join(dir, f)
		}
		e.paths = append(e.paths, f)
	}
	if _, err := e.Read(); err != nil {
		return nil, err
	}
	return e, nil
}

// Read reads the files and reports whether the program would see another
// environment. After an error the last good one stays.
func (e *EnvFiles) Read() (changed bool, err error) {
	if len(e.paths) == 0 {
		return false, nil
	}
	all := map[string]string{}
	for _, path := range e.paths {
		one, err := e.readFile(path)
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

// readFile reads a file, or a pipe once: what came out of that is gone, and its
// writer, a password tool for one, may not answer a second time.
func (e *EnvFiles) readFile(path string) (map[string]string, error) {
	if vars, ok := e.pipes[path]; ok {
		return vars, nil
	}
	fi, err := os.Stat(path)
	pipe := err == nil && !fi.Mode().IsRegular() && !fi.IsDir()
	read := os.ReadFile
	if pipe {
		read = readPipe
	}
	vars, err := readEnvFile(path, read)
	if err == nil && pipe {
		e.pipes[path] = vars
	}
	return vars, err
}

// readEnvFile names the file in every error.
func readEnvFile(path string, read func(string) ([]byte, error)) (map[string]string, error) {
	text, err := read(path)
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

// Environ is the program's environment.
func (e *EnvFiles) Environ() []string {
	if len(e.vars) == 0 {
		return e.base
	}
	return append(slices.Clip(e.base), e.vars...)
}

// Has reports whether a path is one of the files.
func (e *EnvFiles) Has(path string) bool { return slices.Contains(e.paths, path) }

// Paths are the files, absolute.
func (e *EnvFiles) Paths() []string { return e.paths }

// Dirs are the directories to watch.
func (e *EnvFiles) Dirs() []string {
	var out []string
	for _, p := range e.paths {
		out = append(out, filepath.Dir(p))
	}
	return out
}
