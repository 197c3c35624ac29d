package astcheck

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"strconv"
	"strings"
)

// Check reads a Go file. The name is the one to show in errors; the file is
// not opened. Any bytes will do: what is not Go has an Error.
func Check(name string, src []byte) Precheck {
	p := Precheck{Hash: sha256.Sum256(src)}
	out, clean := lex(src)
	p.check(name, src, out, clean)
	return p
}

// check fills in all but Hash.
func (p *Precheck) check(name string, src []byte, out lexed, clean bool) {
	fset := token.NewFileSet()
	// The lexer gives all that comments have to say, except in cgo files.
	f, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if err == nil && !clean {
		err = errors.New("not valid Go source") // not reached: the scanner is as strict
	}
	if err != nil {
		p.Error = syntaxError(name, src, err)
		// The go command reads a file up to its imports only.
		f, err = parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly|parser.SkipObjectResolution)
	}
	if err == nil {
		p.Package = f.Name.Name
		p.Imports = imports(f)
	}

	p.Constraint, err = fileConstraint(src)
	var bad *errConstraint
	if errors.As(err, &bad) && p.Error == nil {
		p.Error = constraintError(name, src, bad)
	}

	extra := ""
	if p.imports("C") {
		extra = p.checkCgo(name, src)
	}
	p.Embeds = embeds(out.marks, p.imports("embed"))
	p.Directives = append(directives(out.marks), p.Directives...)
	p.Tokens = digest(out.canon, p.Constraint, extra)
	p.Shape = digest(shape(out.canon), p.Constraint, extra)
	if p.Error == nil {
		p.Decls = decls(out.canon)
	}
}

func (p *Precheck) imports(path string) bool {
	for _, i := range p.Imports {
		if i.Path == path {
			return true
		}
	}
	return false
}

func imports(f *ast.File) []Import {
	var list []Import
	for _, spec := range f.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // not reached: the parser has checked it
		}
		i := Import{Path: path}
		if spec.Name != nil {
			i.Name = spec.Name.Name
		}
		list = append(list, i)
	}
	return list
}

// checkCgo reads what cgo takes from comments: the preamble, and the //export
// lines with the functions that they document. It returns both as one text.
func (p *Precheck) checkCgo(name string, src []byte) string {
	mode := parser.ParseComments | parser.SkipObjectResolution
	if p.Error != nil {
		mode |= parser.ImportsOnly
	}
	f, err := parser.ParseFile(token.NewFileSet(), name, src, mode)
	if err != nil || f == nil {
		return ""
	}
	var preamble strings.Builder
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				spec, ok := spec.(*ast.ImportSpec)
				if !ok || spec.Path.Value != `"C"` {
					continue
				}
				doc := spec.Doc
				if doc == nil && len(d.Specs) == 1 {
					doc = d.Doc
				}
				preamble.WriteString("import\x00")
				if doc == nil {
					continue
				}
				for _, c := range doc.List {
					preamble.WriteString(c.Text)
					preamble.WriteByte('\n')
				}
			}
		case *ast.FuncDecl:
			if d.Doc == nil {
				continue
			}
			for _, c := range d.Doc.List {
				if strings.HasPrefix(c.Text, "//export ") {
					p.Directives = append(p.Directives, strings.Join(strings.Fields(c.Text), " "))
				}
			}
		}
	}
	sum := sha256.Sum256([]byte(preamble.String()))
	p.Cgo = hex.EncodeToString(sum[:8])
	return preamble.String() + "\x00" + strings.Join(p.Directives, "\x00")
}

// embeds returns the patterns of all //go:embed comments. Like the go command
// it passes over those that are not well formed, which the compiler refuses.
func embeds(marks []mark, imported bool) []string {
	if !imported {
		return nil
	}
	var list []string
	for _, m := range marks {
		d, ok := ast.ParseDirective(token.NoPos, m.text)
		if !ok || d.Tool != "go" || d.Name != "embed" {
			continue
		}
		args, err := d.ParseArgs()
		if err != nil {
			continue
		}
		for _, a := range args {
			list = append(list, a.Arg)
		}
	}
	return list
}

// directives returns those that concern more than the code of this file.
func directives(marks []mark) []string {
	var list []string
	for _, m := range marks {
		if m.top && (hasVerb(m.text, "//go:debug") || m.text == "//go:binary-only-package") ||
			hasVerb(m.text, "//go:linkname") || strings.HasPrefix(m.text, "//go:cgo_") {
			list = append(list, strings.Join(strings.Fields(m.text), " "))
		}
	}
	return list
}

// digest hashes a text that has all tokens, and what else decides.
func digest(canon []byte, constraint, extra string) Sum {
	if constraint == "" && extra == "" {
		return sha256.Sum256(canon)
	}
	h := sha256.New()
	h.Write(canon)
	// No token and no mark starts like this, so it cannot be part of canon.
	h.Write([]byte("\x03" + strconv.Quote(constraint) + "\x00" + extra))
	return Sum(h.Sum(nil))
}

// shape drops each comma or semicolon that stands before a closing bracket.
// Tokens hold no NUL, so a token is found by the NULs around it.
func shape(canon []byte) []byte {
	out := make([]byte, 0, len(canon))
	start := 0
	for i := 0; i+3 < len(canon); i++ {
		if canon[i] != 0 && canon[i+1] == 0 && (i == 0 || canon[i-1] == 0) &&
			(canon[i] == ',' || canon[i] == ';') &&
			(canon[i+2] == ')' || canon[i+2] == '}') && canon[i+3] == 0 {
			out = append(out, canon[start:i]...)
			start = i + 2
		}
	}
	return append(out, canon[start:]...)
}

// syntaxError turns what the parser says into the error to show.
func syntaxError(name string, src []byte, err error) *SyntaxError {
	var list scanner.ErrorList
	if !errors.As(err, &list) || len(list) == 0 {
		e := &SyntaxError{File: name, Line: 1, Col: 1, Msg: clean([]byte(err.Error()))}
		e.at(src, 0)
		return e
	}
	first := list[0]
	e := &SyntaxError{
		File: clean([]byte(first.Pos.Filename)), // of a //line, perhaps
		Line: first.Pos.Line,
		Col:  first.Pos.Column,
		Msg:  clean([]byte(first.Msg)), // which quotes the file
		More: len(list) - 1,
	}
	e.at(src, first.Pos.Offset)
	return e
}

func constraintError(name string, src []byte, bad *errConstraint) *SyntaxError {
	e := &SyntaxError{File: name, Line: bad.line, Col: 1, Msg: clean([]byte(bad.Error()))}
	offset := 0
	for range bad.line - 1 {
		offset += bytes.IndexByte(src[offset:], '\n') + 1
	}
	e.at(src, offset)
	return e
}
