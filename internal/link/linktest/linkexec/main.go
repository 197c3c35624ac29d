// Command linkexec is a -toolexec program that links with the incremental
// linker:
//
//	go test -toolexec 'linkexec LOG' std
//
// It passes every tool through but the linker. A link that is refused is done
// by the toolchain's linker. Each link appends a line to LOG: "ok" or "refused",
// the import path of the program and the reason. Packages whose path starts with an element of
// the comma-separated HR_LINKEXEC_HOT are hot: their symbols are placed as those
// of packages under development.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/hotreflex/hr/internal/link"
)

func main() { os.Exit(run(os.Args[1], os.Args[2], os.Args[3:])) }

func run(log, tool string, args []string) int {
	if strings.TrimSuffix(filepath.Base(tool), ".exe") == "link" && !(len(args) == 1 && strings.HasPrefix(args[0], "-V")) {
		r, err := request(tool, args)
		if err == nil {
			l := link.NewIncremental(link.Options{Check: true})
			_, err = l.Link(context.Background(), r)
		}
		if err == nil {
			note(log, "ok", r, "")
			return 0
		}
		note(log, "refused", r, err.Error())
	}
	cmd := exec.Command(tool, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return 1
	}
	return 0
}

// request reads a command line of the go command for its linker.
func request(tool string, args []string) (link.Request, error) {
	r := link.Request{
		State: "linkexec", Tool: tool, GOROOT: os.Getenv("GOROOT"), Env: os.Environ(),
		GOOS: os.Getenv("GOOS"), GOARCH: os.Getenv("GOARCH"),
	}
	if r.GOROOT == "" {
		r.GOROOT = filepath.Dir(filepath.Dir(filepath.Dir(filepath.Dir(tool))))
	}
	cfg, main := "", ""
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case a == "-o":
			i++
			r.Out = args[i]
		case a == "-importcfg":
			i++
			cfg = args[i]
		case strings.HasPrefix(a, "-buildid="):
			r.BuildID = a
		case i == len(args)-1:
			main = a
		default:
			r.Flags = append(r.Flags, a)
		}
	}
	version, err := exec.Command(tool, "-V").Output()
	if err != nil {
		return r, err
	}
	// "link version go1.26.8"
	f := strings.Fields(string(version))
	r.GoVersion = f[len(f)-1]
	return r, imports(&r, cfg, main)
}

func imports(r *link.Request, cfg, main string) error {
	f, err := os.Open(cfg)
	if err != nil {
		return err
	}
	defer f.Close()
	r.Main = link.Package{Path: "main", File: main, Hot: true}
	prefixes := strings.FieldsFunc(os.Getenv("HR_LINKEXEC_HOT"), func(c rune) bool { return c == ',' })
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "modinfo "); ok {
			if r.ModInfo, err = strconv.Unquote(text); err != nil {
				return err
			}
		}
		line, ok := strings.CutPrefix(lines.Text(), "packagefile ")
		if !ok {
			continue
		}
		path, file, _ := strings.Cut(line, "=")
		if file == main {
			r.Main.Path = path
			continue
		}
		hot := slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(path, p) })
		r.Packages = append(r.Packages, link.Package{Path: path, File: file, Hot: hot})
	}
	return lines.Err()
}

func note(log, what string, r link.Request, reason string) {
	f, err := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer f.Close()
	fmt.Fprintf(f, "%s %s %s\n", what, r.Main.Path, strings.ReplaceAll(reason, "\n", " "))
}
