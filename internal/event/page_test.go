package event_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hotreflex/hr/astcheck"
	"github.com/hotreflex/hr/internal/event"
)

var update = flag.Bool("update", false, "write docs/events.md, and add new fields to the promise")

const (
	page    = "../../docs/events.md"
	promise = "../../docs/events.json" // every field that a release had
)

// TestPage holds docs/events.md against the types.
func TestPage(t *testing.T) {
	p := newPage(t)
	want := p.write()
	if *update {
		if err := os.WriteFile(page, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/events.md differs from the types: go test ./internal/event -run TestPage -update")
	}
}

// TestPromise holds the fields against those that were there before: adding is
// free, removing and renaming is not.
func TestPromise(t *testing.T) {
	now := fields()
	var before map[string][]string
	if data, err := os.ReadFile(promise); err == nil {
		if err := json.Unmarshal(data, &before); err != nil {
			t.Fatal(err)
		}
	} else if !*update {
		t.Fatal(err)
	}
	for name, list := range before {
		for _, f := range list {
			if !slices.Contains(now[name], f) {
				t.Errorf("%s has no %s any more: a reader of version %d may need it", name, f, event.Version)
			}
		}
	}
	if *update && !t.Failed() {
		data, err := json.MarshalIndent(now, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(promise, append(data, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// fields lists the JSON fields of each event.
func fields() map[string][]string {
	all := map[string][]string{}
	for _, x := range every {
		all[x.event.Name()] = paths("", reflect.TypeOf(x.event), 0)
	}
	return all
}

// maxDepth is deeper than any event; a type that holds itself ends there.
const maxDepth = 5

func paths(prefix string, t reflect.Type, depth int) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if !open(t) || depth > maxDepth {
		return nil
	}
	var out []string
	for i := range t.NumField() {
		f := t.Field(i)
		name, ok := jsonName(f)
		switch {
		case !ok:
		case name == "":
			out = append(out, paths(prefix, f.Type, depth)...)
		default:
			out = append(out, prefix+name)
			out = append(out, paths(prefix+name+".", f.Type, depth+1)...)
		}
	}
	return out
}

// open reports whether a type's fields are told one by one.
func open(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]()
}

// jsonName returns the name of a field, "" for an embedded one; ok is false for
// one that is not told.
func jsonName(f reflect.StructField) (name string, ok bool) {
	tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	switch {
	case tag == "-" || !f.IsExported():
		return "", false
	case tag == "" && f.Anonymous:
		return "", true
	case tag == "":
		return f.Name, true
	}
	return tag, true
}

// typePage writes the page out of the types and their comments.
type typePage struct {
	docs  map[string]string // "package.Type" and "package.Type.Field" to its comment
	out   bytes.Buffer
	todo  []reflect.Type
	known map[reflect.Type]bool
}

func newPage(t *testing.T) *typePage {
	p := &typePage{docs: map[string]string{}, known: map[reflect.Type]bool{}}
	for _, dir := range []string{".", "../order", "../graph", "../supervisor", "../protocol", "../../astcheck"} {
		p.read(t, dir)
	}
	return p
}

func (p *typePage) read(t *testing.T, dir string) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no Go files in %s: %v", dir, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.TYPE {
				continue
			}
			for _, spec := range g.Specs {
				p.note(f.Name.Name, spec.(*ast.TypeSpec), g.Doc)
			}
		}
	}
}

func (p *typePage) note(pkg string, spec *ast.TypeSpec, doc *ast.CommentGroup) {
	name := pkg + "." + spec.Name.Name
	if spec.Doc != nil {
		doc = spec.Doc
	}
	p.docs[name] = oneLine(doc)
	s, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, f := range s.Fields.List {
		for _, id := range f.Names {
			p.docs[name+"."+id.Name] = oneLine(f.Doc) + oneLine(f.Comment)
		}
	}
}

func oneLine(c *ast.CommentGroup) string {
	return strings.Join(strings.Fields(c.Text()), " ")
}

func (p *typePage) write() []byte {
	p.out.WriteString(`# What hr tells

` + "`hr run --json`" + ` and ` + "`hr reflex --json`" + ` print one JSON object a line on standard error. This page is made from
the types of internal/event. Fields may be added in any release; renaming or removing one raises v.

| field | |
|---|---|
| v | version of this page: ` + fmt.Sprint(event.Version) + ` |
| event | the name of the event |
| time | when it was told (RFC 3339) |
| service | the service of hr.toml, if there are several |
| instance | process id of the hr that tells |
| text | the line that people read; it may be worded anew at any time |
| data | the fields below |

Durations are in nanoseconds. Paths are absolute unless said otherwise; a byte of a path that is not UTF-8 is told as U+FFFD.
`)
	seen := map[string]reflect.Type{}
	for _, x := range every {
		seen[x.event.Name()] = reflect.TypeOf(x.event)
	}
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		fmt.Fprintf(&p.out, "\n## %s\n", name)
		p.table(seen[name])
	}
	p.out.WriteString("\n# Types\n")
	for len(p.todo) > 0 {
		t := p.todo[0]
		p.todo = p.todo[1:]
		fmt.Fprintf(&p.out, "\n## %s\n", t.Name())
		p.table(t)
	}
	return p.out.Bytes()
}

func (p *typePage) table(t reflect.Type) {
	if doc := p.docs[t.String()]; doc != "" {
		fmt.Fprintf(&p.out, "\n%s\n", doc)
	}
	rows := p.rows(t)
	if len(rows) == 0 {
		p.out.WriteString("\nNo data.\n")
		return
	}
	p.out.WriteString("\n| field | type | |\n|---|---|---|\n" + strings.Join(rows, ""))
}

func (p *typePage) rows(t reflect.Type) []string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var rows []string
	for i := range t.NumField() {
		f := t.Field(i)
		name, ok := jsonName(f)
		switch {
		case !ok:
		case name == "":
			rows = append(rows, p.rows(f.Type)...)
		default:
			doc := strings.ReplaceAll(p.docs[t.String()+"."+f.Name], "|", `\|`)
			rows = append(rows, fmt.Sprintf("| %s | %s | %s |\n", name, p.kind(f.Type), doc))
		}
	}
	return rows
}

// kind names a type as a reader of JSON sees it.
func (p *typePage) kind(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Time]():
		return "time"
	case reflect.TypeFor[time.Duration]():
		return "ns"
	case reflect.TypeFor[astcheck.Verdict]():
		return "verdict"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return p.kind(t.Elem())
	case reflect.Slice:
		return "list of " + p.kind(t.Elem())
	case reflect.Map:
		return "object"
	case reflect.Struct:
		if !p.known[t] {
			p.known[t] = true
			p.todo = append(p.todo, t)
		}
		return "[" + t.Name() + "](#" + strings.ToLower(t.Name()) + ")"
	case reflect.Bool, reflect.String:
		return t.Kind().String()
	}
	return "number"
}
