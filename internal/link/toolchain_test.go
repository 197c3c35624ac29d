package link_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hotreflex/hr/internal/link"
	"github.com/hotreflex/hr/internal/link/linktest"
)

const hello = "package main\n\nfunc main() { println(greeting) }\n\nvar greeting = \"hello\"\n"

func TestToolchainLinks(t *testing.T) {
	m := linktest.New(t, map[string]string{"main.go": hello})
	r := m.Request(t, ".")
	r.BuildID = "abc/def"
	r.ModInfo = strings.Repeat("x", 32)
	r.Flags = append(r.Flags, "-X=main.greeting=good day")
	res, err := link.NewToolchain().Link(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	if res.Linker != "go" || res.Took <= 0 {
		t.Errorf("result %+v", res)
	}
	out, err := exec.Command(r.Out).CombinedOutput()
	if err != nil || string(out) != "good day\n" {
		t.Errorf("program said %q, %v", out, err)
	}
	left, _ := filepath.Glob(r.Out + "*")
	if len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestToolchainErrorCarriesOutput(t *testing.T) {
	m := linktest.New(t, map[string]string{
		"main.go": "package main\n\nfunc missing()\n\nfunc main() { missing() }\n",
		"x.s":     "",
	})
	r := m.Request(t, ".")
	_, err := link.NewToolchain().Link(context.Background(), r)
	var tool *link.ToolError
	if !errors.As(err, &tool) || !strings.Contains(string(tool.Output), "main.missing not defined") {
		t.Fatalf("error %v", err)
	}
	if _, err := os.Stat(r.Out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("output exists: %v", err)
	}
}

func TestToolchainCancelled(t *testing.T) {
	m := linktest.New(t, map[string]string{"main.go": hello})
	r := m.Request(t, ".")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := link.NewToolchain().Link(ctx, r); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
}
