package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// caddyModule is the large real program, pinned so that runs can be compared.
const caddyModule = "github.com/caddyserver/caddy/v2@v2.11.9"

// caddy is the web server, copied out of the module cache as a main module of
// its own.
func caddy() program {
	return program{
		name: "caddy", pkg: "./cmd/caddy", path: "/hello", leaf: "body",
		patience: waitLimit, // go build alone takes ten seconds and more
		create: func(ctx context.Context, _ options, env []string, dir string) error {
			from, err := downloadModule(ctx, env, caddyModule)
			if err != nil {
				return err
			}
			return copyTree(from, dir)
		},
		args: caddyArgs,
		edits: map[string]edit{
			"body": { // in a package of 12,000 lines with two dozen importers
				file:  "modules/caddyhttp/staticresp.go",
				swaps: []string{`body := repl.ReplaceKnown(s.Body, "")`, `body := repl.ReplaceKnown(s.Body, "") + " MARK"`},
				path:  "/hello", want: "hello MARK",
			},
		},
	}
}

// caddyArgs writes a configuration that answers every request, keeps no state
// outside scratch and opens no second port.
func caddyArgs(addr, scratch string) ([]string, error) {
	config := fmt.Sprintf(`{
	"admin": {"disabled": true, "config": {"persist": false}},
	"logging": {"logs": {"default": {"level": "ERROR"}}},
	"storage": {"module": "file_system", "root": %q},
	"apps": {"http": {"servers": {"bench": {
		"listen": [%q],
		"automatic_https": {"disable": true},
		"routes": [{"handle": [{"handler": "static_response", "body": "hello"}]}]
	}}}}
}
`, filepath.Join(scratch, "caddy"), addr)
	name := filepath.Join(scratch, "caddy.json")
	return []string{"run", "--config", name}, os.WriteFile(name, []byte(config), 0o644)
}

// downloadModule brings a module into the module cache and returns its directory.
func downloadModule(ctx context.Context, env []string, module string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", module)
	cmd.Dir, cmd.Env = os.TempDir(), env
	out, err := cmd.Output()
	var m struct{ Dir, Error string }
	if json.Unmarshal(out, &m); m.Error != "" {
		return "", fmt.Errorf("download %s: %s", module, m.Error)
	}
	if err != nil {
		return "", fmt.Errorf("download %s: %w", module, err)
	}
	return m.Dir, nil
}
