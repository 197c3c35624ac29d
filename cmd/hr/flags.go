package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/printable"
	"github.com/hotreflex/hr/internal/protocol"
	"github.com/hotreflex/hr/tags"
)

// runFlags are the words of hr run.
type runFlags struct {
	json, noDaemon, debug, verbose bool
	noop, profile, linker, watcher string
	superviseFlags
	dir     string // -C
	exec    string // as go run's
	goFlags []string
	rest    []string // package and arguments
	dash    int      // 0 if rest stood behind "--", else -1
}

// goFlag is a build flag that is handed to the go command as it is.
type goFlag struct {
	into *[]string
	name string
	bool bool
}

func (g *goFlag) String() string { return "" }
func (g *goFlag) Type() string {
	if g.bool {
		return "bool" // has no value in the usage
	}
	return "value"
}
func (g *goFlag) IsBoolFlag() bool { return g.bool }

// Set keeps the flag in the go command's form; the order of flags is kept.
func (g *goFlag) Set(v string) error {
	if g.bool && v == "true" {
		*g.into = append(*g.into, "-"+g.name)
		return nil
	}
	*g.into = append(*g.into, "-"+g.name+"="+v)
	return nil
}

// The build flags that go run takes (go help build), with what hr says of them.
var goValueFlags = [][2]string{
	{"tags", "build tags, comma separated; dev, test and prod choose a profile too"},
	{"ldflags", "arguments for the linker"},
	{"gcflags", "arguments for the compiler"},
	{"asmflags", "arguments for the assembler"},
	{"gccgoflags", "arguments for gccgo"},
	{"mod", "readonly, vendor or mod"},
	{"modfile", "another file in place of go.mod"},
	{"overlay", "a JSON file that replaces files"},
	{"pgo", "a profile for the optimiser; off unless given"},
	{"buildmode", "exe or pie"},
	{"compiler", "gc or gccgo"},
	{"installsuffix", "suffix of the package install directory"},
	{"pkgdir", "directory of packages"},
	{"toolexec", "a program that runs the tools"},
	{"covermode", "set, count or atomic"},
	{"coverpkg", "packages to instrument"},
	{"p", "how many programs the go command runs at once"},
}

var goBoolFlags = [][2]string{
	{"race", "find data races"},
	{"msan", "memory sanitizer"},
	{"asan", "address sanitizer"},
	{"cover", "coverage instrumentation"},
	{"trimpath", "no file system paths in the program"},
	{"buildvcs", "stamp the program with version control facts: true, false or auto; off unless given"},
	{"linkshared", "link against shared libraries"},
	{"modcacherw", "leave the module cache writable"},
	{"a", "rebuild everything each time"},
	{"x", "print the commands"},
	{"work", "keep the go command's work directory"},
}

func (f *runFlags) define(fs *pflag.FlagSet) {
	fs.SetInterspersed(false)
	fs.BoolVar(&f.json, "json", false, "print events as JSON lines instead of text")
	fs.BoolVarP(&f.verbose, "verbose", "v", false, "split times by phase and tell more")
	fs.BoolVar(&f.noDaemon, "no-daemon", false, "work with an hrd of this hr alone, which keeps nothing")
	fs.StringVar(&f.profile, "profile", "", "dev, test or prod; chosen by -tags if not given")
	fs.BoolVar(&f.debug, "debug", false, "build for a debugger: DWARF kept, -gcflags='all=-N -l'")
	fs.StringVar(&f.noop, "noop", "skip", "what a comment-only edit does: skip or restart")
	fs.StringVar(&f.linker, "linker", "auto", "auto, incremental or go")
	fs.StringVar(&f.watcher, "watcher", "", "native, poll or reflex; native or poll by the file system if not given")
	f.superviseFlags.define(fs)
	fs.StringVar(&f.exec, "exec", "", "run the program by this command, with the program's file and arguments behind its own")
	fs.StringVarP(&f.dir, "chdir", "C", "", "change to this directory first")
	for _, g := range goValueFlags {
		fs.Var(&goFlag{&f.goFlags, g[0], false}, g[0], g[1])
	}
	for _, g := range goBoolFlags {
		fs.Var(&goFlag{&f.goFlags, g[0], true}, g[0], g[1])
		fs.Lookup(g[0]).NoOptDefVal = "true"
	}
}

// check refuses what makes no sense before anything is started.
func (f *runFlags) check() error {
	for _, c := range []struct{ flag, value, allowed string }{
		{"noop", f.noop, "skip restart"},
		{"linker", f.linker, "auto incremental go"},
		{"watcher", f.watcher, " native poll reflex"},
		{"handover", f.handover, "auto off"},
		{"details", f.details, "loopback all off"},
		{"profile", f.profile, " " + strings.Join(tags.Names(), " ")},
	} {
		ok := false
		for _, a := range strings.Split(c.allowed, " ") {
			ok = ok || a == c.value
		}
		if !ok {
			return &protocol.Error{Code: protocol.CodeUsage,
				Message: fmt.Sprintf("-%s=%s is not one of %s", c.flag, printable.FirstLine(c.value), strings.Join(strings.Fields(c.allowed), ", ")),
				Hint:    "hr help run lists the flags"}
		}
	}
	return f.superviseFlags.check()
}

// job makes the build's job and the program's arguments of the flags.
func (f *runFlags) job() (order.Job, []string, error) {
	var none order.Job
	dir, err := os.Getwd()
	if err != nil {
		return none, nil, fmt.Errorf("find the current directory: %w", err)
	}
	if f.dir != "" {
		if !filepath.IsAbs(f.dir) {
			f.dir = filepath.Join(dir, f.dir)
		}
		dir = f.dir
	}
	if fi, err := os.Stat(dir); err != nil || !fi.IsDir() {
		return none, nil, &protocol.Error{Code: protocol.CodeUsage, Message: dir + " is not a directory", Hint: "-C takes a directory"}
	}
	pkg, args := splitArgs(f.rest, f.dash)
	profile := cmp.Or(f.profile, "auto")
	return order.Job{Dir: dir, Env: os.Environ(), Flags: f.goFlags, Profile: profile, Debug: f.debug, Package: pkg, Linker: f.linker}, args, nil
}

// splitArgs separates the package from the program's arguments as go run does:
// leading .go files, or one package; all that follows is the program's, a "--"
// as well. Where go run wants a package, hr may find it: then a "--" comes
// before the arguments.
func splitArgs(rest []string, dash int) (pkg, args []string) {
	if dash == 0 {
		return nil, rest
	}
	n := 0
	for n < len(rest) && strings.HasSuffix(rest[n], ".go") {
		n++
	}
	if n == 0 && len(rest) > 0 {
		n = 1
	}
	return rest[:n:n], rest[n:]
}
