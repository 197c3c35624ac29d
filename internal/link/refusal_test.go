package link_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hotreflex/hr/internal/link"
	"github.com/hotreflex/hr/internal/link/linktest"
)

func TestRefusals(t *testing.T) {
	if !linktest.Supported() {
		t.Skip("the incremental linker's target is linux/amd64")
	}
	m := linktest.New(t, map[string]string{"main.go": hello})
	m.Env = []string{"CGO_ENABLED=0"}
	good := m.Request(t, ".")
	damaged := filepath.Join(t.TempDir(), "damaged.a")
	data, err := os.ReadFile(good.Main.File)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(damaged, data[:len(data)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	hosted := withHostObject(t, data)
	withFlag := func(f ...string) func(*link.Request) {
		return func(r *link.Request) { r.Flags = append(r.Flags, f...) }
	}
	for _, tt := range []struct {
		name   string
		change func(*link.Request)
		reason string
	}{
		{"debug information", func(r *link.Request) { r.Flags = []string{"-buildmode=exe"} }, "no -w"},
		{"race", withFlag("-race"), "-race"},
		{"pie", withFlag("-buildmode=pie"), "-buildmode"},
		{"plugin", withFlag("-buildmode", "plugin"), "-buildmode"},
		{"external", withFlag("-linkmode=external"), "-linkmode"},
		{"unknown flag", withFlag("-whatever"), "-whatever"},
		{"flag without value", withFlag("-X"), "-X"},
		{"not a string", withFlag("-X=runtime.gomaxprocs=4"), "not a string variable"},
		{"experiment", func(r *link.Request) { r.Env = append(r.Env, "GOEXPERIMENT=loopvar") }, "GOEXPERIMENT"},
		{"old toolchain", func(r *link.Request) { r.GoVersion = "go1.22.1" }, "go1.22.1"},
		{"other toolchain's source", func(r *link.Request) { r.GOROOT = t.TempDir() }, "builtin"},
		{"damaged archive", func(r *link.Request) { r.Main.File = damaged }, "damaged.a"},
		{"missing archive", func(r *link.Request) { r.Main.File += ".gone" }, "no such file"},
		{"host objects", func(r *link.Request) { r.Main.File = hosted }, "has C code"},
		{"missing package", func(r *link.Request) { r.Packages = r.Packages[1:] }, "not"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := good
			r.Packages = append([]link.Package(nil), good.Packages...)
			r.Flags = append([]string(nil), good.Flags...)
			r.Out = filepath.Join(t.TempDir(), "prog")
			tt.change(&r)
			l := link.NewIncremental(link.Options{})
			defer l.Close()
			_, err := l.Link(context.Background(), r)
			reason, ok := link.IsRefusal(err)
			if !ok || !strings.Contains(reason, tt.reason) || strings.Contains(reason, "internal:") {
				t.Errorf("error %v, want a refusal with %q", err, tt.reason)
			}
			if _, err := os.Stat(r.Out); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("something was written: %v", err)
			}
			if s := l.Stats(); s.States != 0 || s.Archives != 0 || s.HeapBytes != 0 {
				t.Errorf("memory is kept of what was refused: %+v", s)
			}
		})
	}
}

// withHostObject returns a copy of an archive with one more member, as the
// compiler of C makes them.
func withHostObject(t *testing.T, archive []byte) string {
	t.Helper()
	const object = "\x7fELF, of which nobody reads more here\n"
	archive = fmt.Appendf(slices.Clone(archive), "%-16s%-12d%-6d%-6d%-8o%-10d`\n%s", "_x001.o", 0, 0, 0, 0o644, len(object), object)
	path := filepath.Join(t.TempDir(), "hosted.a")
	if err := os.WriteFile(path, archive, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTargets refuses every target of the go command but one, and objects of
// another target than the request's.
func TestTargets(t *testing.T) {
	plain(t)
	if !linktest.Supported() {
		t.Skip("the incremental linker's target is linux/amd64")
	}
	out, err := exec.Command("go", "tool", "dist", "list").Output()
	if err != nil {
		t.Fatal(err)
	}
	targets := strings.Fields(string(out))
	if !slices.Contains(targets, "linux/arm64") || len(targets) < 30 {
		t.Fatalf("targets are %v", targets)
	}
	l := link.NewIncremental(link.Options{})
	defer l.Close()
	refused := func(r link.Request, want string) {
		t.Helper()
		_, err := l.Link(context.Background(), r)
		if reason, ok := link.IsRefusal(err); !ok || reason != want {
			t.Errorf("%s/%s: error %v, want the refusal %q", r.GOOS, r.GOARCH, err, want)
		}
		if _, err := os.Stat(r.Out); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s/%s: something was written", r.GOOS, r.GOARCH)
		}
	}
	m := linktest.New(t, map[string]string{"main.go": hello})
	m.Env = []string{"CGO_ENABLED=0"}
	r := m.Request(t, ".")
	for _, target := range targets {
		if target != "linux/amd64" {
			r.GOOS, r.GOARCH, _ = strings.Cut(target, "/")
			refused(r, "target is "+target+", not linux/amd64")
		}
	}
	m.Env = append(m.Env, "GOARCH=arm64")
	r = m.Request(t, ".")
	refused(r, "target is linux/arm64, not linux/amd64")
	r.GOARCH = "amd64"
	_, err = l.Link(context.Background(), r)
	if reason, ok := link.IsRefusal(err); !ok || !strings.Contains(reason, "arm64") {
		t.Errorf("objects of arm64: error %v", err)
	}
}

// TestUserCgo refuses C code of users, from the start and when it comes into a
// program that has been linked, which can be linked again afterwards.
func TestUserCgo(t *testing.T) {
	plain(t)
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no C compiler: the go command builds without cgo then")
	}
	s := newSession(t, map[string]string{"main.go": hello})
	s.m.Env = []string{"CGO_ENABLED=1"}
	refused := func(want string) {
		t.Helper()
		r := s.m.Request(t, ".")
		_, err := s.inc.Link(context.Background(), r)
		if reason, ok := link.IsRefusal(err); !ok || !strings.Contains(reason, want) {
			t.Errorf("error %v, want a refusal with %q", err, want)
		}
		if _, err := os.Stat(r.Out); !errors.Is(err, os.ErrNotExist) {
			t.Error("something was written")
		}
	}
	const c = "\n\n// static int next(int x) { return x + 1; }\nimport \"C\"\n\nfunc Next(x int) int { return int(C.next(C.int(x))) }\n"
	s.m.Write(t, "c.go", "package main"+c)
	refused("package app has C code")
	s.m.Remove(t, "c.go")
	s.link()
	s.m.Write(t, "c.go", "package main"+c)
	refused("package app has C code")
	s.m.Remove(t, "c.go")
	s.link()
	s.m.Write(t, "c/c.go", "package c"+c)
	s.m.Write(t, "uses.go", "package main\n\nimport \"app/c\"\n\nfunc init() { println(c.Next(1)) }\n")
	refused("package app/c has C code")
}

// TestRefusalAfterLink breaks a program that has been linked, and mends it.
func TestRefusalAfterLink(t *testing.T) {
	s := newSession(t, map[string]string{"main.go": hello, "x.s": ""})
	s.link()
	s.m.Write(t, "main.go", "package main\n\nfunc missing()\n\nfunc main() { missing() }\n")
	r := s.m.Request(t, ".")
	_, err := s.inc.Link(context.Background(), r)
	if reason, ok := link.IsRefusal(err); !ok || !strings.Contains(reason, "main.missing not defined") {
		t.Fatalf("error %v", err)
	}
	s.m.Write(t, "main.go", hello)
	s.link()
}

// TestReached follows the set of functions, and what only the toolchain's
// linker finds wrong with it.
func TestReached(t *testing.T) {
	s := newSession(t, map[string]string{"main.go": hello, "x.s": ""})
	reached := func() (uint64, link.Request) {
		r := s.m.Request(t, ".")
		res, err := s.inc.Link(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		return res.Reached, r
	}
	first, _ := reached()
	s.m.Write(t, "main.go", strings.Replace(hello, "hello", "other words", 1))
	if second, r := reached(); second != first {
		t.Error("another text made another set of functions")
	} else if err := link.CrossCheck(context.Background(), r); err != nil {
		t.Error(err)
	}
	s.m.Write(t, "main.go", `package main

import _ "unsafe"

//go:linkname dumpint runtime.dumpint
func dumpint(uint64)

func main() { dumpint(3) }
`)
	third, r := reached()
	if third == first {
		t.Error("another function made no other set")
	}
	var tool *link.ToolError
	if err := link.CrossCheck(context.Background(), r); !errors.As(err, &tool) || !strings.Contains(err.Error(), "dumpint") {
		t.Errorf("cross-check: %v", err)
	}
}
