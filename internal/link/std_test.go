package link_test

import (
	"bytes"
	"cmp"
	"fmt"
	"go/version"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/hotreflex/hr/internal/link/linktest"
)

// stdRun is one run of tests of the standard library, linked by linkexec.
type stdRun struct {
	linkexec  string   // see buildLinkexec
	toolchain string   // GOTOOLCHAIN; empty for the present one
	cgo       string   // CGO_ENABLED
	hot       string   // HR_LINKEXEC_HOT
	godebug   string   // GODEBUG of the tests, not of the go command
	flags     []string // more of go test
	packages  []string
}

// rightRefusals are what linkexec may leave to the toolchain's linker: C code
// that the toolchain, too, does not link itself; plugins; and instantiations of
// FIPS code, which only appear in packages that are made hot.
var rightRefusals = []string{
	"package internal/testpty has C code",
	"package plugin is linked",
	"is in the FIPS module but not in the standard library",
}

// buildLinkexec returns the command for go test -toolexec.
func buildLinkexec(t *testing.T) string {
	t.Helper()
	if !linktest.Supported() {
		t.Skip("the incremental linker's target is linux/amd64")
	}
	tool := filepath.Join(t.TempDir(), "linkexec")
	if out, err := exec.Command("go", "build", "-o", tool, "./linktest/linkexec").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return tool
}

// test runs the tests, and logs one line that sums up. A package whose tests
// fail is run again alone, and then with the toolchain's linker: what fails there
// too says nothing about ours.
func (r stdRun) test(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	// An older language version would give the tests the settings of its time.
	lang := strings.TrimPrefix(version.Lang(cmp.Or(r.toolchain, runtime.Version())), "go")
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module std.test\n\ngo "+lang+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(dir, "log")
	ok, failed, _ := r.run(dir, log, r.packages)
	var both, again []string
	for _, pkg := range failed {
		if _, bad, said := r.run(dir, log, []string{pkg}); len(bad) == 0 {
			again = append(again, pkg)
		} else if _, bad, _ = r.run(dir, "", []string{pkg}); len(bad) == 0 {
			t.Errorf("%s fails, but not with the toolchain's linker:\n%s", pkg, said)
		} else {
			both = append(both, pkg)
		}
	}
	linked, refused := readLinks(t, log)
	line := fmt.Sprintf("%s: %d packages linked, %d run ok", t.Name(), len(linked), ok+len(again))
	if len(again) > 0 {
		line += fmt.Sprintf(" (at the second try: %s)", strings.Join(again, " "))
	}
	if len(both) > 0 {
		line += fmt.Sprintf(", %d fail with either linker (%s)", len(both), strings.Join(both, " "))
	}
	line += fmt.Sprintf(", %d refused", len(refused))
	for _, path := range slices.Sorted(maps.Keys(refused)) {
		reason := refused[path]
		line += fmt.Sprintf("; %s: %s", path, reason)
		if !slices.ContainsFunc(rightRefusals, func(s string) bool { return strings.Contains(reason, s) }) {
			t.Errorf("%s: %s", path, reason)
		}
	}
	t.Log(line)
	if len(linked) == 0 || ok == 0 {
		t.Error("nothing was linked and run")
	}
}

// run runs go test. With an empty log the toolchain's linker links.
func (r stdRun) run(dir, log string, packages []string) (ok int, failed []string, said []byte) {
	args := []string{"test", "-count=1", "-short", "-vet=off"}
	if log != "" {
		args = append(args, "-toolexec", r.linkexec+" "+log)
	}
	if r.godebug != "" {
		args = append(args, "-exec", "env GODEBUG="+r.godebug)
	}
	args = append(append(args, r.flags...), packages...)
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "PWD="+dir, "CGO_ENABLED="+r.cgo, "HR_LINKEXEC_HOT="+r.hot)
	if r.toolchain != "" {
		cmd.Env = append(cmd.Env, "GOTOOLCHAIN="+r.toolchain)
	}
	said, _ = cmd.CombinedOutput()
	seen := map[string]bool{}
	for line := range bytes.Lines(said) {
		f := strings.Fields(string(line))
		switch {
		case len(f) < 2:
		case bytes.HasPrefix(line, []byte("ok  \t")):
			ok++
			seen[f[1]] = true
		case bytes.HasPrefix(line, []byte("?   \t")):
			seen[f[1]] = true
		}
	}
	for _, pkg := range packages {
		if !seen[pkg] {
			failed = append(failed, pkg)
		}
	}
	return ok, failed, said
}

// readLinks reads linkexec's log: which programs were linked, and why others not.
func readLinks(t *testing.T, log string) (linked map[string]bool, refused map[string]string) {
	t.Helper()
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	linked, refused = map[string]bool{}, map[string]string{}
	for line := range strings.Lines(string(text)) {
		what, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		path, reason, _ := strings.Cut(rest, " ")
		if what == "ok" {
			linked[path] = true
		} else {
			refused[path] = reason
		}
	}
	return linked, refused
}

// TestStdShort links and runs the tests of a few packages that lean on a linker's
// work: types and methods, itabs, generics, tracebacks, the collector.
func TestStdShort(t *testing.T) {
	plain(t)
	if testing.Short() {
		t.Skip("runs the tests of other packages")
	}
	r := stdRun{linkexec: buildLinkexec(t), cgo: "0", packages: []string{"errors", "iter", "sort", "unique", "weak", "text/template"}}
	r.test(t)
	r.hot, r.packages = "text/,internal/fmtsort", []string{"text/template"}
	r.test(t)
}
