package hostobj

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Import is a symbol of a shared library.
type Import struct{ Name, Version, Library string }

// Export is a Go symbol that host code may refer to.
type Export struct {
	Symbol string
	ABI    uint16
}

// Directives are the cgo directives of all packages of a program
// (cmd/link/internal/ld/go.go).
type Directives struct {
	Loader    string            // path of the dynamic loader
	Libraries []string          // in order of first mention
	Imports   map[string]Import // by the name that objects use
	Static    map[string]bool   // names that host objects define
	Exports   map[string]Export // by the name that host code uses
}

// Add reads the directives of one package, a JSON list of lists.
func (d *Directives) Add(text []byte) error {
	if d.Imports == nil {
		d.Imports, d.Static, d.Exports = map[string]Import{}, map[string]bool{}, map[string]Export{}
	}
	if len(text) == 0 {
		return nil
	}
	var list [][]string
	if err := json.Unmarshal(text, &list); err != nil {
		return fmt.Errorf("cgo directives: %w", err)
	}
	for _, f := range list {
		if err := d.add(f); err != nil {
			return err
		}
	}
	return nil
}

func (d *Directives) add(f []string) error {
	arg := func(i int, otherwise string) string {
		if i < len(f) {
			return f[i]
		}
		return otherwise
	}
	switch name := arg(1, ""); {
	case len(f) < 2 || len(f) > 4:
		return fmt.Errorf("cgo directive %q is not understood", f)
	case f[0] == "cgo_import_dynamic":
		lib := arg(3, "")
		d.library(lib)
		remote, version, _ := strings.Cut(arg(2, name), "#")
		if name == "_" && remote == "_" {
			return nil
		}
		d.Imports[name] = Import{Name: remote, Version: version, Library: lib}
	case f[0] == "cgo_import_static":
		d.Static[name] = true
	case f[0] == "cgo_export_static" || f[0] == "cgo_export_dynamic":
		e := Export{Symbol: name}
		switch abi := arg(3, "ABI0"); abi {
		case "ABI0":
		case "ABIInternal":
			e.ABI = 1
		default:
			return fmt.Errorf("cgo export %s has unknown ABI %s", name, abi)
		}
		d.Exports[arg(2, name)] = e
	case f[0] == "cgo_dynamic_linker":
		if d.Loader != "" && d.Loader != name {
			return fmt.Errorf("two dynamic loaders, %s and %s", d.Loader, name)
		}
		d.Loader = name
	case f[0] == "cgo_ldflag":
		// Flags of the standard library's packages: -O2, -g, -lpthread, -lresolv.
		if name != "-O2" && name != "-g" && !strings.HasPrefix(name, "-l") {
			return fmt.Errorf("cgo wants linker flag %s", name)
		}
	default:
		return fmt.Errorf("cgo directive %q is not understood", f)
	}
	return nil
}

func (d *Directives) library(lib string) {
	if lib == "" {
		return
	}
	for _, have := range d.Libraries {
		if have == lib {
			return
		}
	}
	d.Libraries = append(d.Libraries, lib)
}
