package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// parseImportConfig reads an importcfg.link file: the import paths in its
// order, the archive of each, and the unquoted modinfo.
func parseImportConfig(text string) (paths, files []string, modInfo string, err error) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		verb, rest, _ := strings.Cut(line, " ")
		switch verb {
		case "packagefile":
			path, file, ok := strings.Cut(rest, "=")
			if !ok {
				return nil, nil, "", fmt.Errorf("import configuration line %q", line)
			}
			paths, files = append(paths, path), append(files, file)
		case "modinfo":
			if modInfo, err = strconv.Unquote(rest); err != nil {
				return nil, nil, "", fmt.Errorf("import configuration modinfo: %w", err)
			}
		}
	}
	return paths, files, modInfo, nil
}

// writeImportConfig writes one import configuration for all compiles of a
// build. It names every archive of the closure: the compiler reads only those
// of direct imports, and nothing of the configuration reaches the output.
func writeImportConfig(dir string, files map[string]string) (string, error) {
	var b strings.Builder
	for _, path := range sortedKeys(files) {
		b.WriteString("packagefile " + path + "=" + files[path] + "\n")
	}
	file := filepath.Join(dir, "importcfg")
	return file, os.WriteFile(file, []byte(b.String()), 0o600)
}
