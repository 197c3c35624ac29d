package link

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hotreflex/hr/internal/link/program"
)

// Accepts returns the refusal that the incremental linker meets a request with
// whatever its archives hold: for its target and its flags.
func Accepts(r Request) error {
	_, err := input(r)
	return err
}

// input turns a request into what program links, or refuses it.
func input(r Request) (program.Input, error) {
	in := program.Input{
		GOROOT: r.GOROOT, Version: r.GoVersion, Root: goroot(r), ModInfo: r.ModInfo,
		Strings: map[string]string{},
	}
	if r.GOOS != "linux" || r.GOARCH != "amd64" {
		return in, refuse("target is %s/%s, not linux/amd64", r.GOOS, r.GOARCH)
	}
	if x := envValue(r.Env, "GOEXPERIMENT"); x != "" {
		return in, refuse("GOEXPERIMENT=%s", x)
	}
	if err := flags(r.Flags, in.Strings); err != nil {
		return in, err
	}
	for _, p := range r.Packages {
		if p.File == r.Main.File || p.Path == r.Main.Path {
			continue
		}
		if p.Path == "plugin" || p.Path == "runtime/race" || p.Path == "runtime/msan" || p.Path == "runtime/asan" {
			return in, refuse("package %s is linked", p.Path)
		}
		in.Packages = append(in.Packages, program.Package{Path: p.Path, File: p.File, Hot: p.Hot})
	}
	in.Packages = append(in.Packages, program.Package{Path: r.Main.Path, File: r.Main.File, Hot: true, Main: true})
	return in, nil
}

// flags understands the linker flags of a development build and refuses others.
func flags(args []string, vars map[string]string) error {
	stripped := false
	for i := 0; i < len(args); i++ {
		name, value, hasValue := strings.Cut(args[i], "=")
		name = "-" + strings.TrimLeft(name, "-")
		needs := func() (string, error) {
			if hasValue {
				return value, nil
			}
			if i++; i >= len(args) {
				return "", refuse("flag %s without a value", name)
			}
			return args[i], nil
		}
		switch name {
		case "-s", "-w":
			if hasValue && value != "true" && value != "1" {
				return refuse("flag %s", args[i])
			}
			stripped = true
		case "-X":
			v, err := needs()
			if err != nil {
				return err
			}
			key, text, ok := strings.Cut(v, "=")
			if !ok || !strings.Contains(key, ".") {
				return refuse("flag -X %s", v)
			}
			vars[escapeVar(key)] = text
		case "-extld", "-compressdwarf", "-tmpdir":
			// Of no effect here: nothing is linked by another program.
			if hasValue || name == "-compressdwarf" {
				continue
			}
			if _, err := needs(); err != nil {
				return err
			}
		case "-buildmode":
			if v, err := needs(); err != nil || v != "exe" {
				return refuse("flag -buildmode=%s", v)
			}
		case "-linkmode":
			if v, err := needs(); err != nil || v != "internal" && v != "auto" {
				return refuse("flag -linkmode=%s", v)
			}
		default:
			return refuse("flag %s", args[i])
		}
	}
	if !stripped {
		return refuse("debug information is wanted (no -w)")
	}
	return nil
}

// escapeVar is the symbol of a variable as -X names it: the package path is
// escaped as in objects.
func escapeVar(key string) string {
	dot := strings.LastIndexByte(key, '.')
	return program.EscapePath(key[:dot]) + key[dot:]
}

// goroot is the root that the program and its file names are told: none with
// -trimpath, which the go command says with an empty GOROOT.
func goroot(r Request) string {
	if slices.ContainsFunc(r.Env, func(kv string) bool { return strings.HasPrefix(kv, "GOROOT=") }) {
		return envValue(r.Env, "GOROOT")
	}
	return r.GOROOT
}

// envValue is the last value of a variable, as os/exec passes it on.
func envValue(env []string, name string) string {
	for _, kv := range slices.Backward(env) {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			return v
		}
	}
	return ""
}

func refuse(format string, args ...any) error {
	return &Refusal{Reason: fmt.Sprintf(format, args...)}
}
