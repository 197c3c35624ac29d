package dialect

import (
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

func goroot(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func TestLoadOwnToolchain(t *testing.T) {
	d, err := Load(goroot(t), runtime.Version(), "")
	if err != nil {
		t.Fatal(err)
	}
	if d.Builtins[0] != (Builtin{"runtime.newobject", 1}) {
		t.Errorf("first builtin is %v", d.Builtins[0])
	}
	if d.Kind(1) != Text || d.Kind(9) != BSS || d.Kind(250) != Unknown {
		t.Errorf("kinds 1, 9, 250 are %v, %v, %v", d.Kind(1), d.Kind(9), d.Kind(250))
	}
	if d.Minor == 26 && d.InitOrder != 99 {
		t.Errorf("InitOrder is %d", d.InitOrder)
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, version := range []string{"go1.23.4", "go1.99", "devel go1.27-abc", "go2.0", ""} {
		if _, err := Load(goroot(t), version, ""); err == nil {
			t.Errorf("%q was accepted", version)
		}
	}
	if _, err := Load(t.TempDir(), runtime.Version(), ""); err == nil || !strings.Contains(err.Error(), "builtin") {
		t.Errorf("empty GOROOT: %v", err)
	}
}
