package edits

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// This file edits what is not Go: embedded files, assembly and C.

var embedLine = regexp.MustCompile(`(?m)^//go:embed (.+)$`)

// embedding picks a file with a //go:embed line and returns that line's words.
func (e *editor) embedding() (s *source, line string, words []string, ok bool) {
	s, line, ok = pick(e, func(s *source) []string {
		var out []string
		for _, m := range embedLine.FindAllStringSubmatch(s.text, -1) {
			out = append(out, m[1])
		}
		return out
	})
	return s, line, strings.Fields(line), ok
}

// embedText is a package's first embedded directory.
const embedText = `package NAME

import "embed"

//go:embed judge_files
var judgeFiles embed.FS

//go:embed judge_files/*.txt
var judgeTexts embed.FS
`

// addEmbed gives a package embedded files.
func addEmbed(e *editor) bool {
	for _, dir := range e.packages() {
		name := e.packageName(dir)
		if name == "" || e.exists(dir+"/judge_embed.go") {
			continue
		}
		e.write(dir+"/judge_files/one.txt", "one\n")
		e.write(dir+"/judge_files/below/two.txt", "two\n")
		e.write(dir+"/judge_embed.go", strings.ReplaceAll(embedText, "NAME", name))
		return e.say("%s: embeds files", dir)
	}
	return false
}

func embedPattern(e *editor) bool {
	s, line, words, ok := e.embedding()
	if !ok {
		return addEmbed(e)
	}
	w := choose(e, words)
	with := choose(e, []string{"all:" + strings.TrimPrefix(w, "all:"), w + " " + w, path.Dir(w) + "/*", "*.judge", w + "*"})
	e.write(s.rel, strings.Replace(s.text, "//go:embed "+line+"\n", "//go:embed "+strings.Replace(line, w, with, 1)+"\n", 1))
	return e.say("%s: //go:embed %s", s.rel, strings.Replace(line, w, with, 1))
}

// embedded returns the regular files below what the patterns of a file name.
func (e *editor) embedded(s *source, words []string) []string {
	dir := dirOf(s.rel)
	var out []string
	for _, w := range words {
		names, _ := filepath.Glob(e.path(dir + "/" + strings.Trim(strings.TrimPrefix(w, "all:"), "\"`")))
		for _, n := range names {
			filepath.WalkDir(n, func(p string, d os.DirEntry, err error) error {
				if err == nil && d.Type().IsRegular() {
					if rel, err := filepath.Rel(e.t.Dir, p); err == nil {
						out = append(out, filepath.ToSlash(rel))
					}
				}
				return nil
			})
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func embedEdited(e *editor) bool {
	s, _, words, ok := e.embedding()
	if !ok {
		return addEmbed(e)
	}
	files := e.embedded(s, words)
	if len(files) == 0 {
		return false
	}
	rel := choose(e, files)
	text, _ := e.read(rel)
	e.write(rel, text+fmt.Sprintf("judge %d\n", e.id))
	return e.say("%s: an embedded file", rel)
}

func embedAdded(e *editor) bool {
	s, _, words, ok := e.embedding()
	if !ok {
		return addEmbed(e)
	}
	files := e.embedded(s, words)
	if len(files) == 0 {
		return false
	}
	beside := choose(e, files)
	name := choose(e, []string{"judge%d", ".judge%d", "_judge%d", "below%d/judge"})
	rel := dirOf(beside) + "/" + fmt.Sprintf(name, e.id) + path.Ext(beside)
	e.write(rel, "new\n")
	return e.say("%s: beside an embedded file", rel)
}

func embedRemoved(e *editor) bool {
	s, _, words, ok := e.embedding()
	if !ok {
		return addEmbed(e)
	}
	files := e.embedded(s, words)
	if len(files) == 0 {
		return false
	}
	rel := choose(e, files)
	e.remove(rel)
	return e.say("%s: an embedded file is gone", rel)
}

// other picks a file with one of the extensions that contains a text.
func (e *editor) other(contains string, exts ...string) (rel, text string, ok bool) {
	for _, dir := range e.packages() {
		files := e.files(dir, exts...)
		e.r.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
		for _, rel := range files {
			if text, ok := e.read(rel); ok && strings.Contains(text, contains) {
				return rel, text, true
			}
		}
	}
	return "", "", false
}

func assembly(e *editor) bool {
	rel, text, ok := e.other("RET", ".s")
	if !ok {
		return false
	}
	with := choose(e, []string{"NOP\n\tRET", "INCQ ret+16(FP)\n\tRET", "// judge\n\tRET", "JUDGE\n\tRET"})
	e.write(rel, strings.Replace(text, "RET", with, 1))
	return e.say("%s: assembly", rel)
}

var defineLine = regexp.MustCompile(`(?m)^#define (\w+) (\d+)$`)

func header(e *editor) bool {
	rel, text, ok := e.other("#define", ".h")
	if !ok {
		return false
	}
	if !defineLine.MatchString(text) {
		e.write(rel, text+fmt.Sprintf("#define JUDGE%d\n", e.id))
		return e.say("%s: a new name", rel)
	}
	e.write(rel, defineLine.ReplaceAllString(text, fmt.Sprintf("#define $1 %d", e.id%100)))
	return e.say("%s: another number", rel)
}

func cgoPreamble(e *editor) bool {
	rel, text, ok := e.other("import \"C\"", ".go")
	if !ok {
		return false
	}
	with := choose(e, []string{"// static int judge%[1]d(void) { return %[1]d; }\n", "// // a comment %[1]d\n", "// #define JUDGE%[1]d %[1]d\n", "// #error judge %[1]d\n"})
	e.write(rel, strings.Replace(text, "import \"C\"", fmt.Sprintf(with, e.id)+"import \"C\"", 1))
	return e.say("%s: the cgo preamble", rel)
}

func cFile(e *editor) bool {
	rel, text, ok := e.other("return", ".c")
	if !ok {
		return false
	}
	e.write(rel, strings.Replace(text, "return ", fmt.Sprintf("return %d + ", e.id%50), 1))
	return e.say("%s: C", rel)
}
