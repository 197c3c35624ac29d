package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/hotreflex/hr/cache"
	"github.com/hotreflex/hr/internal/exact"
	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/tags"
)

// ErrNoGo says that the client's PATH has no go command.
var ErrNoGo = errors.New("no go command on PATH")

// Toolchain is one go command as one client's environment sets it up.
type Toolchain struct {
	Go string `json:"go"` // the go command
	// Env is the answer of go env -json.
	Env map[string]string `json:"env"`
	// ToolTags are the tags that the toolchain itself implies, as go list shows
	// them: goexperiment.*, amd64.v1.
	ToolTags []string `json:"toolTags"`
}

// GOROOT returns the root of the toolchain.
func (t *Toolchain) GOROOT() string { return t.Env["GOROOT"] }

// Tool returns the path of a program of the toolchain.
func (t *Toolchain) Tool(name string) string {
	return filepath.Join(t.Env["GOTOOLDIR"], name+exeSuffixes[0])
}

// context makes the build context of a job.
func (t *Toolchain) context(f *flagSet) tags.Context {
	c := tags.Context{
		GOOS:      t.Env["GOOS"],
		GOARCH:    t.Env["GOARCH"],
		Tags:      f.tags,
		CGO:       t.Env["CGO_ENABLED"] == "1",
		GoVersion: t.Env["GOVERSION"],
		Race:      f.race,
		MSan:      f.msan,
		ASan:      f.asan,
		Flags:     f.words,
	}
	for _, tag := range t.ToolTags {
		if name, ok := strings.CutPrefix(tag, "goexperiment."); ok {
			c.Experiments = append(c.Experiments, name)
		}
	}
	for key, value := range t.Env {
		// GOARM, GOAMD64 and the like: exactly one is shown, that of GOARCH.
		if slices.Contains(archLevels, key) && value != "" {
			c.ArchLevel = key + "=" + value
		}
		if outputEnv(key) && value != "" {
			c.Env = append(c.Env, key+"="+value)
		}
	}
	slices.Sort(c.Env)
	return c
}

// archLevels are the variables that choose a level of an architecture
// (go help environment).
var archLevels = []string{"GO386", "GOAMD64", "GOARM", "GOARM64", "GOMIPS", "GOMIPS64", "GOPPC64", "GORISCV64", "GOWASM"}

// outputEnv tells whether a variable of go env can change what a build makes,
// beyond those that have a field of their own in the build context.
func outputEnv(key string) bool {
	switch key {
	case "GOEXPERIMENT", "GOROOT", "GOFIPS140", "GO_EXTLINK_ENABLED", "GOMODCACHE", "GOWORK", "GOMOD",
		"CC", "CXX", "AR", "FC", "GCCGO", "PKG_CONFIG", "GODEBUG", "GO111MODULE":
		return true
	}
	return strings.HasPrefix(key, "CGO_")
}

// toolchains remembers go env by everything that go env reads, so that a known
// client costs no run of the go command.
type toolchains struct {
	store *cache.Store

	mu    sync.Mutex // guards known
	known map[string]*Toolchain
}

func newToolchains(store *cache.Store) *toolchains {
	return &toolchains{store: store, known: map[string]*Toolchain{}}
}

// find returns the toolchain of a client.
func (ts *toolchains) find(ctx context.Context, dir string, env []string) (*Toolchain, error) {
	goPath, err := lookPath("go", dir, env)
	if err != nil {
		return nil, err
	}
	key := toolchainKey(goPath, dir, env)
	ts.mu.Lock()
	t := ts.known[key]
	ts.mu.Unlock()
	if t != nil {
		return t, nil
	}
	t = new(Toolchain)
	if ts.store != nil {
		if data, ok := ts.store.Get(cache.Context, key); ok && exact.Unmarshal(data, t) == nil && fileExists(t.Tool("compile")) {
			ts.keep(key, t)
			return t, nil
		}
	}
	if t, err = askToolchain(ctx, goPath, dir, env); err != nil {
		return nil, err
	}
	if ts.store != nil {
		if data, err := exact.Marshal(t); err == nil {
			ts.store.Put(cache.Context, key, data) // a store that takes nothing costs time only
		}
	}
	ts.keep(key, t)
	return t, nil
}

func (ts *toolchains) keep(key string, t *Toolchain) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.known[key] = t
}

// askToolchain runs go env and go list for what go env does not tell.
func askToolchain(ctx context.Context, goPath, dir string, env []string) (*Toolchain, error) {
	t := &Toolchain{Go: goPath}
	out, err := runGo(ctx, goPath, dir, env, "env", "-json")
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(out, &t.Env); err != nil {
		return nil, fmt.Errorf("read go env: %w", err)
	}
	if err := spellEnv(ctx, t, dir, env); err != nil {
		return nil, err
	}
	out, err = runGo(ctx, goPath, dir, env, "list", "-e", "-find", "-f", `{{join context.ToolTags ","}}`, "unsafe")
	if err != nil {
		return nil, err
	}
	if s := strings.TrimSpace(string(out)); s != "" {
		t.ToolTags = strings.Split(s, ",")
	}
	return t, nil
}

// spellEnv asks once more for values that are no text, which JSON cannot show:
// go env with names prints each on a line, as it is.
func spellEnv(ctx context.Context, t *Toolchain, dir string, env []string) error {
	var names []string
	for _, name := range sortedKeys(t.Env) {
		if strings.ContainsRune(t.Env[name], utf8.RuneError) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	out, err := runGo(ctx, t.Go, dir, env, append([]string{"env"}, names...)...)
	if err != nil {
		return err
	}
	values := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(values) != len(names) {
		return nil // a value of several lines: it stays as JSON shows it
	}
	for i, name := range names {
		t.Env[name] = strings.TrimSuffix(values[i], "\r")
	}
	return nil
}

// toolchainKey hashes everything that decides what go env answers: the go
// command itself, the client's variables, the file of go env -w, the module
// files that may choose another toolchain.
func toolchainKey(goPath, dir string, env []string) string {
	h := newHash("toolchain")
	h.add(goPath)
	if real, err := filepath.EvalSymlinks(goPath); err == nil {
		s := graph.StampOf(real)
		s.Racy = false
		h.add(real, fmt.Sprint(s))
		root := filepath.Dir(filepath.Dir(real))
		h.addFile(filepath.Join(root, "VERSION"))
		h.addFile(filepath.Join(root, "go.env"))
	}
	for _, kv := range cleanEnv(env) {
		if name, _, _ := strings.Cut(kv, "="); asksEnv(name) {
			h.add(kv)
		}
	}
	h.addFile(goEnvFile(env))
	for d := dir; ; d = filepath.Dir(d) {
		h.addFile(filepath.Join(d, "go.mod"))
		h.addFile(filepath.Join(d, "go.work"))
		if d == filepath.Dir(d) {
			break
		}
	}
	return h.sum()
}

// asksEnv tells whether the go command looks at the variable when it sets itself
// up (cmd/go/internal/cfg and envcmd).
func asksEnv(name string) bool {
	switch name {
	case "CC", "CXX", "AR", "FC", "PKG_CONFIG", "HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "PATH", "USERPROFILE", "AppData", "LocalAppData":
		return true
	}
	return strings.HasPrefix(name, "GO") || strings.HasPrefix(name, "CGO_")
}

// goEnvFile returns the file that go env -w writes (os.UserConfigDir/go/env).
func goEnvFile(env []string) string {
	if v := getenv(env, "GOENV"); v != "" {
		return v
	}
	if v := getenv(env, "XDG_CONFIG_HOME"); v != "" {
		return filepath.Join(v, "go", "env")
	}
	home := getenv(env, "HOME")
	if home == "" {
		if dir, err := os.UserConfigDir(); err == nil {
			return filepath.Join(dir, "go", "env")
		}
		return ""
	}
	if dir := filepath.Join(home, "Library", "Application Support"); fileExists(dir) {
		return filepath.Join(dir, "go", "env")
	}
	return filepath.Join(home, ".config", "go", "env")
}

// runGo runs the go command for its standard output. Its error has the last of
// what it said.
func runGo(ctx context.Context, goPath, dir string, env []string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, goPath, args...)
	cmd.Dir = dir
	cmd.Env = withPWD(env, dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	// The go command's children may keep the pipe open after it was killed.
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		said := strings.TrimSpace(stderr.String())
		if strings.HasPrefix(said, "go: ") {
			return nil, &order.Error{Text: said} // as go build would say it
		}
		return nil, &order.Error{Text: strings.TrimSpace(fmt.Sprintf("go %s: %s", args[0], cmpOr(said, err.Error())))}
	}
	return out, nil
}

// lookPath finds a program as the client's shell would.
func lookPath(name, dir string, env []string) (string, error) {
	for _, d := range filepath.SplitList(getenv(env, "PATH")) {
		if d == "" {
			d = "."
		}
		if !filepath.IsAbs(d) {
			d = filepath.Join(dir, d)
		}
		for _, ext := range exeSuffixes {
			path := filepath.Join(d, name+ext)
			if fi, err := os.Stat(path); err == nil && fi.Mode().IsRegular() && (ext != "" || fi.Mode()&0o111 != 0) {
				return path, nil
			}
		}
	}
	return "", ErrNoGo
}

// getenv returns the last value of key, as the kernel's consumers do.
func getenv(env []string, key string) string {
	for i := len(env) - 1; i >= 0; i-- {
		if k, v, ok := strings.Cut(env[i], "="); ok && k == key {
			return v
		}
	}
	return ""
}

// cleanEnv returns env sorted with the last value of each variable only.
func cleanEnv(env []string) []string {
	last := map[string]string{}
	for _, kv := range env {
		if k, _, ok := strings.Cut(kv, "="); ok {
			last[k] = kv
		}
	}
	out := make([]string, 0, len(last))
	for _, kv := range last {
		out = append(out, kv)
	}
	slices.Sort(out)
	return out
}

// withPWD sets PWD, which the go command trusts for the spelling of its
// directory.
func withPWD(env []string, dir string) []string {
	return append(slices.Clone(env), "PWD="+dir)
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist) && err == nil
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
