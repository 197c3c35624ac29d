//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience bounds every wait of the scripts: far more than anything here takes,
// also under the race detector on a loaded machine.
const patience = 90 * time.Second

// quickExit keeps commands built with the race detector from waiting a second at
// exit for late reports: a script ends with all that it began anyway.
const quickExit = "GORACE=atexit_sleep_ms=0"

// TestScripts runs testdata/script: what a user sees, from outside. The scripts
// use signals and process groups, so there are none on Windows.
func TestScripts(t *testing.T) {
	bin := buildCommands(t)
	flock := moduleVersion(t, "github.com/gofrs/flock") // any that this machine has for certain
	goEnv := goDirs(t)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		Setup:               func(env *testscript.Env) error { return setup(env, bin, append(goEnv, "FLOCK="+flock)) },
		Cmds:                scriptCommands(),
		Condition:           scriptCondition,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// buildCommands builds hr and hrd and returns their directory.
func buildCommands(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	args := append([]string{"build", "-buildvcs=false", "-o", bin + "/"}, raceFlags...)
	cmd := exec.Command("go", append(args, "github.com/hotreflex/hr/cmd/hr", "github.com/hotreflex/hr/cmd/hrd")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the commands: %v\n%s", err, out)
	}
	return bin
}

// goDirs returns the settings of this machine's go command that the scripts
// share: its caches, or each script would compile the standard library.
func goDirs(t *testing.T) []string {
	t.Helper()
	names := []string{"GOCACHE", "GOMODCACHE", "GOPATH"}
	out, err := exec.Command("go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		t.Fatalf("go env: %v", err)
	}
	values := strings.Split(strings.TrimSpace(string(out)), "\n")
	for i := range names {
		names[i] += "=" + values[i]
	}
	return names
}

func moduleVersion(t *testing.T, path string) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", path).Output()
	if err != nil {
		t.Fatalf("go list -m: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// setup gives a script its own home, caches, socket, port and module.
func setup(env *testscript.Env, bin string, goEnv []string) error {
	home := filepath.Join(env.WorkDir, "home")
	telemetry := filepath.Join(home, ".config", "go", "telemetry")
	if err := os.MkdirAll(telemetry, 0o755); err != nil {
		return err
	}
	// With a new home the go command would start its daily upload each time.
	if err := os.WriteFile(filepath.Join(telemetry, "mode"), []byte("off"), 0o644); err != nil {
		return err
	}
	run, err := os.MkdirTemp("", "hr") // short: the path of a socket has 108 bytes at most
	if err != nil {
		return err
	}
	goCommand, err := exec.LookPath("go")
	if err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	port2, err := freePort()
	if err != nil {
		return err
	}
	env.Vars = append(env.Vars, goEnv...)
	env.Vars = append(env.Vars, []string{
		"HOME=" + home,
		"XDG_CONFIG_HOME=", "XDG_CACHE_HOME=", "XDG_RUNTIME_DIR=",
		"PATH=" + bin + string(filepath.ListSeparator) + os.Getenv("PATH"),
		"BIN=" + bin, "GODIR=" + filepath.Dir(goCommand),
		"HR_CACHE_DIR=" + filepath.Join(env.WorkDir, "cache"),
		"HR_RUNTIME_DIR=" + filepath.Join(run, "r"),
		"GOFLAGS=", "GOWORK=", "GOTOOLCHAIN=local", "GOPROXY=off", "GOTELEMETRY=off", "GOSUMDB=off",
		"PORT=" + port, "PORT2=" + port2, quickExit,
	}...)
	app := filepath.Join(env.WorkDir, "app")
	if err := copyMissing(app, os.DirFS(filepath.Join("testdata", "app"))); err != nil {
		return err
	}
	env.Cd = app
	w := newWorld(env, run)
	env.Values[worldKey{}] = w
	env.Defer(func() { w.end(env.T().(failer)) })
	return nil
}

// copyMissing fills dir with the files of a tree; what is there stays.
func copyMissing(dir string, from fs.FS) error {
	return fs.WalkDir(from, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		to := filepath.Join(dir, path)
		if _, err := os.Lstat(to); err == nil {
			return nil
		}
		data, err := fs.ReadFile(from, path)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o644)
	})
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// poll asks until the answer is yes.
func poll(yes func() bool) bool {
	deadline := time.Now().Add(patience)
	for !yes() {
		if time.Now().After(deadline) {
			return false
		}
		<-time.After(4 * time.Millisecond) // far below what is measured by hand
	}
	return true
}

// leftProcesses returns the processes whose environment names the script's run
// directory: nothing that a script began may outlive it.
func leftProcesses(runDir string) []string {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	var left []string
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil || !bytes.Contains(data, []byte("HR_RUNTIME_DIR="+runDir)) {
			continue
		}
		dir := filepath.Dir(f)
		cmdline, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		if len(cmdline) == 0 {
			continue // a zombie: its parent has not looked yet
		}
		left = append(left, fmt.Sprintf("%s: %s", filepath.Base(dir), bytes.ReplaceAll(cmdline, []byte{0}, []byte{' '})))
	}
	return left
}
