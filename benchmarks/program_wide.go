package main

import (
	"context"
	"fmt"
	"strings"
)

// wideImporters is how many packages import the leaf of program wide: the shape
// of a log, errors or types package in a large repository.
const wideImporters = 200

// wide is a generated module whose one leaf is imported by many packages.
func wide() program {
	return program{
		name: "wide", pkg: "./cmd/wide", path: "/hello", leaf: "leaf-body",
		args: addrFlag,
		create: func(_ context.Context, _ options, _ []string, dir string) error {
			return writeFiles(dir, wideFiles())
		},
		edits: map[string]edit{
			"leaf-body": {
				file:  "internal/leaf/leaf.go",
				swaps: []string{`"leaf %s"`, `"leaf MARK %s"`},
				path:  "/hello", want: "leaf MARK",
			},
		},
	}
}

func wideFiles() map[string]string {
	files := map[string]string{
		"go.mod":                "module example.com/wide\n\ngo 1.24\n",
		"internal/leaf/leaf.go": wideLeaf,
		"cmd/wide/main.go":      wideMain,
	}
	var imports, list strings.Builder
	for i := range wideImporters {
		name := fmt.Sprintf("part%03d", i)
		files["internal/"+name+"/"+name+".go"] = strings.NewReplacer("PART", name, "SEED", fmt.Sprint(i+2)).Replace(widePart)
		fmt.Fprintf(&imports, "\t\"example.com/wide/internal/%s\"\n", name)
		fmt.Fprintf(&list, "\t%s.Describe,\n", name)
	}
	files["cmd/wide/parts.go"] = "package main\n\nimport (\n" + imports.String() + ")\n\nvar parts = []func(int) string{\n" + list.String() + "}\n"
	return files
}

// wideLeaf has a function that is too large to be inlined: its body is no part
// of what its importers are compiled against.
const wideLeaf = `// Package leaf is imported by every other package.
package leaf

import (
	"fmt"
	"strings"
)

// Word returns a word of the leaf's own about name.
func Word(name string) string {
	fields := strings.Fields(name)
	if len(fields) == 0 {
		fields = []string{"nobody"}
	}
	for i, f := range fields {
		fields[i] = strings.ToUpper(f[:1]) + f[1:]
	}
	return fmt.Sprintf("leaf %s", strings.Join(fields, "-"))
}
`

const wideMain = `// Command wide serves the words of many packages.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
)

func main() {
	addr := flag.String("addr", "localhost:8080", "address to listen on")
	flag.Parse()
	http.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, parts[0](1))
	})
	http.HandleFunc("/all", func(w http.ResponseWriter, r *http.Request) {
		for i, p := range parts {
			fmt.Fprintln(w, p(i))
		}
	})
	log.Fatal(http.ListenAndServe(*addr, nil))
}
`

const widePart = `// Package PART keeps counts.
package PART

import (
	"fmt"
	"sort"
	"strings"

	"example.com/wide/internal/leaf"
)

// Counter counts names.
type Counter struct {
	seen  map[string]int
	order []string
}

// NewCounter returns an empty counter.
func NewCounter() *Counter { return &Counter{seen: map[string]int{}} }

// Add counts name once more.
func (c *Counter) Add(name string) int {
	if c.seen[name] == 0 {
		c.order = append(c.order, name)
	}
	c.seen[name]++
	return c.seen[name]
}

// Names returns the names by how often they were added.
func (c *Counter) Names() []string {
	names := append([]string(nil), c.order...)
	sort.Slice(names, func(i, j int) bool {
		if c.seen[names[i]] != c.seen[names[j]] {
			return c.seen[names[i]] > c.seen[names[j]]
		}
		return names[i] < names[j]
	})
	return names
}

// String shows the counts.
func (c *Counter) String() string {
	var b strings.Builder
	for _, name := range c.Names() {
		fmt.Fprintf(&b, "%s=%d ", name, c.seen[name])
	}
	return strings.TrimSpace(b.String())
}

// Describe counts a few words of the leaf.
func Describe(n int) string {
	c := NewCounter()
	for i := 0; i < n%7+SEED%5+1; i++ {
		c.Add(leaf.Word(fmt.Sprintf("PART %d", i%3)))
	}
	return c.String()
}
`
