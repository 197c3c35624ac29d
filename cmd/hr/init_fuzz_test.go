package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hotreflex/hr/internal/reflex"
)

// FuzzAirConfig reads what may stand in an .air.toml: there is an error that
// names the file, or a command; and a reflex.conf made of it can be read.
func FuzzAirConfig(f *testing.F) {
	for _, s := range []string{
		"", "root = \".\"\n[build]\ncmd = \"go build -o ./tmp/main ./cmd/app\"\nbin = \"./tmp/main\"\n",
		"[build]\ncmd = \"make\"\nfull_bin = \"APP=1 ./app -v\"\ninclude_ext = [\"go\", \".tpl\"]\nexclude_regex = [\"_test.go\"]\nexclude_dir = []\n",
		"env_files = [\".env\"]\n[build]\nentrypoint = [\"dlv\", \"exec\", \"./tmp/main\", \"--\", \"-a\"]\nargs_bin = [\"it's\"]\nkill_delay = 500\nsend_interrupt = true\npoll = true\n",
		"[build]\nkill_delay = \"0s\"\ninclude_dir = [\"web\"]\ninclude_file = [\"a.yaml\"]\n[[build.rules]]\ncmd = \"npm run build\"\ninclude_ext = [\"ts\"]\nexclude_regex = [\"node_modules\"]\n[build.linux]\nbin = \"./x\"\n",
		"[build]\ncmd = 1\n", "[build\n", "[build]\nexclude_regex = [\"[\"]\ncmd = \"make\"\n", "[build]\ncmd = \"\"\nbin = \"\"\ninclude_ext = []\n",
	} {
		f.Add(s)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		name := ".air.toml"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		cv, err := fromAir(dir, name)
		if err != nil {
			if !strings.Contains(err.Error(), name) {
				t.Errorf("the error does not name the file: %v", err)
			}
			return
		}
		if len(cv.Command) == 0 {
			t.Fatal("there is no command")
		}
		config := cv.Config
		if config == "" {
			config = serviceOf(cv.Command)
		}
		lines, err := reflex.ReadConfig(strings.NewReader(config), "reflex.conf")
		if err != nil {
			t.Fatalf("%v\n%s", err, config)
		}
		for i := range lines {
			if _, err := reflex.NewMatcher(&lines[i]); err != nil {
				t.Errorf("%v\n%s", err, config)
			}
		}
	})
}
