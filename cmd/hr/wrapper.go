package main

import (
	"bufio"
	"bytes"
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/protocol"
	"github.com/hotreflex/hr/tags"
)

// wrapper is the command that runs the program: that of -exec, which may stand
// in GOFLAGS, else for another system the one that go run would look for
// (cmd/go/internal/work/exec.go, FindExecCmd). None is the usual case.
func (f *runFlags) wrapper(job order.Job) ([]string, error) {
	bad := func(why string) error {
		return &protocol.Error{Code: protocol.CodeUsage, Message: "-exec=" + f.exec + ": " + why, Hint: "as in -exec='strace -f'"}
	}
	if f.exec == "" {
		goflags, _ := tags.SplitQuoted(goEnv("GOFLAGS")) // the engine complains
		f.exec = tags.Value(goflags, "exec")
	}
	words, err := tags.SplitQuoted(f.exec)
	if err != nil {
		return nil, bad(err.Error())
	}
	if len(words) == 0 {
		goos, goarch := cmp.Or(goEnv("GOOS"), runtime.GOOS), cmp.Or(goEnv("GOARCH"), runtime.GOARCH)
		if goos == runtime.GOOS && goarch == runtime.GOARCH {
			return nil, nil
		}
		path, err := exec.LookPath("go_" + goos + "_" + goarch + "_exec")
		if err != nil {
			return nil, nil // the system may run it
		}
		return []string{path}, nil
	}
	path := words[0]
	if filepath.Base(path) != path && !filepath.IsAbs(path) {
		path = filepath.Join(job.Dir, path)
	}
	if path, err = exec.LookPath(path); err != nil {
		return nil, bad(words[0] + " is no program")
	}
	words[0] = path
	return words, nil
}

// goEnv is a setting of the go command as this process can know it: a variable,
// else a line of the file that go env -w writes (cmd/go/internal/cfg, EnvFile).
func goEnv(name string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	file := os.Getenv("GOENV")
	if file == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return ""
		}
		file = filepath.Join(dir, "go", "env")
	}
	data, err := os.ReadFile(file) // GOENV=off names none
	if err != nil {
		return ""
	}
	for in := bufio.NewScanner(bytes.NewReader(data)); in.Scan(); {
		if value, ok := strings.CutPrefix(strings.TrimSpace(in.Text()), name+"="); ok {
			return value
		}
	}
	return ""
}
