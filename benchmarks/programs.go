package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// program is something to serve and the edits that its source can take.
type program struct {
	name  string
	tags  string // build tags, "" if none
	pkg   string // the main package, as on a go command line
	path  string // any path that it answers
	leaf  string // the edit that brings a copy to a known state
	ready string // what it prints when it has started, "" if nothing
	edits map[string]edit
	// patience bounds every wait for an edit of it; 0 is 30 s, longer than any
	// rival takes for a small program on a loaded machine.
	patience time.Duration

	// create writes the source into an empty directory.
	create func(ctx context.Context, o options, env []string, dir string) error
	// args are the program's own arguments; scratch is a directory for files they name.
	args func(addr, scratch string) ([]string, error)
}

// goFlags are the user's build flags.
func (p program) goFlags() []string {
	if p.tags == "" {
		return nil
	}
	return []string{"-tags=" + p.tags}
}

// wait bounds the wait for an edit.
func (p program) wait() time.Duration {
	if p.patience == 0 {
		return 30 * time.Second
	}
	return p.patience
}

// programs are in the order they are measured: if the time is used up, it is the
// last that is cut.
func programs() []program { return []program{ginsvc(), wide(), caddy(), hello()} }

func addrFlag(addr, _ string) ([]string, error) { return []string{"-addr", addr}, nil }

// ginsvc is the example service of the repository.
func ginsvc() program {
	const greet = "internal/greet/greet.go"
	return program{
		name: "ginsvc", tags: "dev", pkg: "./cmd/ginsvc", path: "/hello", leaf: "leaf-body", ready: "listening on",
		create: func(_ context.Context, o options, _ []string, dir string) error {
			return copyTree(filepath.Join(o.root, "examples", "ginsvc"), dir)
		},
		// A line per request would measure the terminal: thousands are asked for.
		args: func(addr, _ string) ([]string, error) {
			return []string{"-addr", addr, "-log-requests=false"}, nil
		},
		edits: map[string]edit{
			"leaf-body": {
				file:  greet,
				swaps: []string{`greeting := "Hello"`, `greeting := "Hello MARK"`},
				path:  "/hello", want: "Hello MARK",
			},
			"api": { // an exported constant is part of what dependents are compiled against
				file:  greet,
				swaps: []string{`const Service = "ginsvc"`, `const Service = "ginsvc MARK"`},
				path:  "/", want: "ginsvc MARK",
			},
			"main": {
				file:  "cmd/ginsvc/main.go",
				swaps: []string{`"Welcome"`, `"Welcome MARK"`},
				path:  "/notes", want: "Welcome MARK",
			},
			"new-import": { // of a package that the program has already
				file:  greet,
				swaps: []string{`import "strings"`, "import (\n\t\"strconv\"\n\t\"strings\"\n)", `greeting := "Hello"`, `greeting := "Hello " + strconv.Itoa(MARK)`},
				path:  "/hello", want: "Hello MARK",
			},
			"new-package": { // an import of a package that the program does not have
				file:  greet,
				swaps: []string{`import "strings"`, "import (\n\t\"container/ring\"\n\t\"strings\"\n)", `greeting := "Hello"`, `greeting := "Hello MARK"[:11+ring.New(2).Len()]`},
				path:  "/hello", want: "Hello MARK",
			},
			"new-file": {
				file: "internal/store/bench_MARK.go",
				text: "package store\n\nimport \"errors\"\n\nfunc init() { ErrNotFound = errors.New(\"no such note MARK\") }\n",
				path: "/notes/99", want: "no such note MARK",
			},
			"comment":      {file: greet, text: "\n// MARK\n"},
			"test-file":    {file: "internal/greet/greet_test.go", text: "\nvar _ = MARK\n"},
			"excluded":     {file: "internal/config/mode_prod.go", swaps: []string{`"prod"`, `"prod MARK"`}},
			"syntax-error": {file: greet, text: "\nfunc broken( { return MARK }\n"},
		},
	}
}

// hello is the smallest service: net/http and one package beside main.
func hello() program {
	return program{
		name: "hello", pkg: ".", path: "/hello", leaf: "leaf-body",
		args: addrFlag,
		create: func(_ context.Context, _ options, _ []string, dir string) error {
			return writeFiles(dir, map[string]string{
				"go.mod":         "module example.com/hello\n\ngo 1.24\n",
				"main.go":        helloMain,
				"words/words.go": helloWords,
			})
		},
		edits: map[string]edit{
			"leaf-body": {
				file:  "words/words.go",
				swaps: []string{`"Hello, %s!"`, `"Hello MARK, %s!"`},
				path:  "/hello", want: "Hello MARK",
			},
			"main": {
				file:  "main.go",
				swaps: []string{`"about this service"`, `"about this service MARK"`},
				path:  "/about", want: "service MARK",
			},
		},
	}
}

const helloMain = `// Command hello greets over HTTP.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"

	"example.com/hello/words"
)

func main() {
	addr := flag.String("addr", "localhost:8080", "address to listen on")
	flag.Parse()
	http.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, words.Greet(r.FormValue("name")))
	})
	http.HandleFunc("/about", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "about this service")
	})
	log.Fatal(http.ListenAndServe(*addr, nil))
}
`

const helloWords = `// Package words holds what the service says.
package words

import (
	"fmt"
	"strings"
)

// Greet greets name, or the world.
func Greet(name string) string {
	name = strings.Join(strings.Fields(name), " ")
	if name == "" {
		name = "world"
	}
	return fmt.Sprintf("Hello, %s!", name)
}
`

// writeFiles writes files by their slash-separated names.
func writeFiles(dir string, files map[string]string) error {
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// copyTree copies a directory; the copy is writable even where the original, in
// the module cache, is not.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		if d.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		if !d.Type().IsRegular() || strings.HasPrefix(d.Name(), ".git") {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("copy %s: %w", path, err)
		}
		return os.WriteFile(target, data, 0o644)
	})
}
