package engine

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/hotreflex/hr/internal/graph"
)

// Recipe is how one package is compiled: what the go command would run
// (cmd/go/internal/work/gc.go, gcToolchain.gc).
type Recipe struct {
	// Flags are the compiler's flags that can change the archive.
	Flags []string
	// Trim are the rewrites of -trimpath, without that of the work directory.
	Trim string
	// Embed is the content of the embed configuration, empty if nothing is
	// embedded.
	Embed string
	// Files are the Go files by absolute path.
	Files []string
}

// defaultLang is the language of a module without a go line
// (cmd/go/internal/gover/version.go, DefaultGoModVersion).
const defaultLang = "1.16"

// recipeOf makes the recipe of a package. It refuses what only the go command
// knows how to do.
func recipeOf(t *Target, s *graph.Snapshot, p *graph.Package) (*Recipe, error) {
	if p.Unhandled != "" {
		return nil, fmt.Errorf("%s has %s", p.Path, p.Unhandled)
	}
	if p.ImportMap != nil {
		return nil, fmt.Errorf("%s has imports that are spelled otherwise", p.Path)
	}
	path := p.Path
	if p.Path == s.Target {
		path = "main"
	}
	r := &Recipe{Files: p.GoFiles}
	r.Flags = append(r.Flags, "-p", path, "-lang=go"+langOf(p.Lang))
	if p.Std {
		return nil, fmt.Errorf("%s is part of the standard library", p.Path)
	}
	r.Flags = append(r.Flags, "-complete")
	if t.flags.race {
		r.Flags = append(r.Flags, "-installsuffix", "race")
	}
	// -dwarf=false would save a quarter of the compile where the link drops the
	// debug information anyway, but it changes which type symbols the object
	// has: the artifact would not be that of go build, byte for byte.
	r.Flags = append(r.Flags, "-goversion", t.tool.Env["GOVERSION"])
	if t.shared() {
		r.Flags = append(r.Flags, "-shared")
	}
	if t.flags.race {
		r.Flags = append(r.Flags, "-race")
	}
	if p.Path == s.Target {
		r.Flags = append(r.Flags, t.flags.gcMain...)
	} else {
		r.Flags = append(r.Flags, t.flags.gcAll...)
	}
	r.Flags = append(r.Flags, "-nolocalimports")
	if t.flags.trim {
		to := p.Path
		if p.Version != "" {
			to = p.Module + "@" + p.Version + strings.TrimPrefix(p.Path, p.Module)
		}
		r.Trim = p.Dir + "=>" + to + ";"
	}
	if len(p.EmbedPatterns) > 0 {
		cfg, err := embedConfig(p, func(path string) string { return path })
		if err != nil {
			return nil, err
		}
		r.Embed = cfg
	}
	return r, nil
}

// langOf cuts a go version to its language version, as in "1.26" of "1.26.3"
// or "1.26rc1".
func langOf(v string) string {
	if v == "" {
		return defaultLang
	}
	parts := strings.SplitN(v, ".", 3)
	if len(parts) < 2 {
		return v
	}
	minor := parts[1]
	if i := strings.IndexFunc(minor, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		minor = minor[:i]
	}
	return parts[0] + "." + minor
}

// shared tells that code is compiled for a position independent program by
// default (internal/platform, DefaultPIE; cmd/go/internal/work/init.go).
func (t *Target) shared() bool {
	switch t.tool.Env["GOOS"] {
	case "android", "ios":
		return true
	case "darwin":
		return t.buildModeDefault()
	}
	return false
}

// buildModeDefault tells that no -buildmode was given: -buildmode=exe makes no
// position independent program.
func (t *Target) buildModeDefault() bool {
	return !slices.ContainsFunc(t.flags.words, func(w string) bool {
		return strings.TrimLeft(w, "-") == "buildmode=exe"
	})
}

// embedConfig returns the file that tells the compiler which files each
// pattern stands for, and what it is to read for each (cmd/go/internal/work/exec.go; go/build and
// cmd/go/internal/load/pkg.go, resolveEmbed).
func embedConfig(p *graph.Package, actual func(path string) string) (string, error) {
	cfg := struct {
		Patterns map[string][]string
		Files    map[string]string
	}{map[string][]string{}, map[string]string{}}
	var names []string // slash separated, relative to the package
	for path, f := range p.Files {
		if !f.IsEmbedded() {
			continue
		}
		rel, err := filepath.Rel(p.Dir, path)
		if err != nil {
			return "", err
		}
		rel = filepath.ToSlash(rel)
		names = append(names, rel)
		cfg.Files[rel] = actual(path)
	}
	slices.Sort(names)
	for _, pattern := range p.EmbedPatterns {
		matched := embedMatches(pattern, names)
		if len(matched) == 0 {
			return "", fmt.Errorf("%s embeds %s, which matches nothing known", p.Path, pattern)
		}
		cfg.Patterns[pattern] = matched
	}
	data, err := json.MarshalIndent(cfg, "", "\t")
	return string(data), err
}

// embedMatches returns the names that a pattern stands for: those it matches,
// and those below a directory that it matches, where hidden names count only
// with the prefix "all:". The go command did the matching against the file
// system; names holds nothing that no pattern matched.
func embedMatches(pattern string, names []string) []string {
	glob, all := strings.CutPrefix(pattern, "all:")
	var out []string
	for _, name := range names {
		for dir := name; dir != "."; dir = slashDir(dir) {
			if !globMatch(glob, dir) && glob != "." {
				continue
			}
			rest := strings.TrimPrefix(strings.TrimPrefix(name, dir), "/")
			if dir == name || all || !hiddenPart(rest) {
				out = append(out, name)
				break
			}
		}
		if glob == "." && !slices.Contains(out, name) && (all || !hiddenPart(name)) {
			out = append(out, name)
		}
	}
	return out
}

func slashDir(name string) string {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i]
	}
	return "."
}

// hiddenPart tells that an element of the path starts with a dot or an
// underscore.
func hiddenPart(path string) bool {
	for _, elem := range strings.Split(path, "/") {
		if strings.HasPrefix(elem, ".") || strings.HasPrefix(elem, "_") {
			return true
		}
	}
	return false
}

// argv returns the compiler's arguments; work is a directory of its own, out
// the archive to write, cfg the import configuration.
func (r *Recipe) argv(work, out, cfg string) ([]string, error) {
	args := []string{"-o", out, "-trimpath", r.Trim + work + "=>"}
	args = append(args, r.Flags...)
	// All cores for one package: the go command shares them between many.
	if n := runtime.GOMAXPROCS(0); n > 1 {
		args = append(args, "-c="+strconv.Itoa(min(n, 4)))
	}
	args = append(args, "-importcfg", cfg)
	if r.Embed != "" {
		file := filepath.Join(work, "embedcfg")
		if err := os.WriteFile(file, []byte(r.Embed), 0o600); err != nil {
			return nil, fmt.Errorf("write embed configuration: %w", err)
		}
		args = append(args, "-embedcfg", file)
	}
	args = append(args, "-pack")
	return append(args, r.Files...), nil
}

// actionID hashes everything that can change the archive of p: the toolchain,
// the recipe, the content of every file, and the export data of each import.
func (t *Target) actionID(s *graph.Snapshot, p *graph.Package, r *Recipe, fingerprint func(path string) string) string {
	h := newHash("compile")
	h.add(t.toolID(), t.machine(), p.Dir, r.Trim, r.Embed)
	h.add(r.Flags...)
	for _, path := range r.Files {
		h.add(path, p.Files[path].Hash)
	}
	if r.Embed != "" {
		for _, path := range sortedKeys(p.Files) {
			if f := p.Files[path]; f.IsEmbedded() {
				h.add(path, f.Hash)
			}
		}
	}
	for _, imp := range p.Imports {
		h.add(imp, fingerprint(imp))
	}
	return h.sum()
}
