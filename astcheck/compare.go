package astcheck

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

// Next judges the new content of a file whose last state is known, by the
// cheapest means that decide: bytes that are equal are not looked at, a file
// with the same tokens is not parsed, and any other is parsed once. It returns
// the new state with the verdict and its reason in words.
func Next(old Precheck, name string, src []byte) (Precheck, Verdict, string) {
	sum := Sum(sha256.Sum256(src))
	if sum == old.Hash && old.Error == nil {
		return old, Same, whyEqual
	}
	out, clean := lex(src)
	// Cgo files are left to the parser, which knows what is a doc comment.
	if clean && old.Error == nil && !old.ImportsC() && old.Hash != (Sum{}) {
		if c, err := fileConstraint(src); err == nil && digest(out.canon, c, "") == old.Tokens {
			old.Hash = sum
			return old, Same, whyTokens
		}
	}
	p := Precheck{Hash: sum}
	p.check(name, src, out, clean)
	v, why := Compare(old, p)
	return p, v, why
}

const (
	whyEqual  = "content unchanged"
	whyTokens = "only comments or white space"
)

// Compare judges two states of one file and says in words what led to the
// verdict. The zero Precheck as old stands for a file that was not there, and
// one that was broken for whatever the parser still read of it.
func Compare(old, new Precheck) (Verdict, string) {
	if new.Error != nil {
		return Broken, new.Error.Error()
	}
	if old.Hash == (Sum{}) {
		return Header, "new file"
	}
	if old.Error == nil {
		switch {
		case old.Hash == new.Hash:
			return Same, whyEqual
		case old.Tokens == new.Tokens:
			return Same, whyTokens
		case old.Shape == new.Shape:
			return Same, whyTokens
		}
	}
	if why := header(old, new); why != "" {
		return Header, why
	}
	if old.Error != nil {
		return Body, "parses again"
	}
	return Body, body(old.Decls, new.Decls)
}

// header returns why the package graph does not hold any more, "" if it does.
// What counts is what go list prints of a file and what makes the engine build
// the package in another way. Names, order and repetition of imports do not,
// nor do order and repetition of embed patterns: go list prints sorted sets.
func header(old, new Precheck) string {
	if old.Package != new.Package {
		return fmt.Sprintf("package changed from %s to %s", orNone(old.Package), orNone(new.Package))
	}
	if old.Constraint != new.Constraint {
		return fmt.Sprintf("constraint changed from %s to %s", orNone(old.Constraint), orNone(new.Constraint))
	}
	if why := setChange("import %q", old.Paths(), new.Paths()); why != "" {
		return why
	}
	if old.Cgo != new.Cgo {
		return "cgo preamble changed"
	}
	if why := setChange("//go:embed %s", old.Embeds, new.Embeds); why != "" {
		return why
	}
	if !slices.Equal(old.Directives, new.Directives) {
		if why := setChange("%s", old.Directives, new.Directives); why != "" {
			return why
		}
		return "directives reordered"
	}
	return ""
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// setChange names the first item that only one of the lists has.
func setChange(format string, old, new []string) string {
	for _, s := range new {
		if !slices.Contains(old, s) {
			return fmt.Sprintf(format, s) + " added"
		}
	}
	for _, s := range old {
		if !slices.Contains(new, s) {
			return fmt.Sprintf(format, s) + " removed"
		}
	}
	return ""
}

// bodyMax is how many declarations a reason names: more do not fit a line.
const bodyMax = 3

// body says which declarations an edit touched.
func body(old, new []Decl) string {
	type key struct {
		kind, name string
		n          int // the how-manieth of this name: there may be several init and _
	}
	number := func(list []Decl) (map[key]Decl, []key) {
		m := make(map[key]Decl, len(list))
		var keys []key
		for _, d := range list {
			k := key{d.Kind, d.Name, 0}
			for m[k].Kind != "" {
				k.n++
			}
			m[k] = d
			keys = append(keys, k)
		}
		return m, keys
	}
	was, oldKeys := number(old)
	is, newKeys := number(new)

	var list []string
	imports := false
	for _, k := range newKeys {
		o, ok := was[k]
		n := is[k]
		switch {
		case o == n:
		case n.Kind == "import":
			imports = true
		case !ok:
			list = append(list, n.String()+" added")
		case n.Kind == "func" && o.Head == n.Head:
			list = append(list, "body of "+n.String())
		case n.Kind == "func":
			list = append(list, "declaration of "+n.String())
		default:
			list = append(list, n.String()+" changed")
		}
	}
	for _, k := range oldKeys {
		if _, ok := is[k]; ok {
			continue
		}
		if k.kind == "import" {
			imports = true
			continue
		}
		list = append(list, was[k].String()+" removed")
	}
	if imports {
		list = append(list, "imports renamed or reordered")
	}
	switch {
	case len(list) == 0:
		return "declarations reordered"
	case len(list) > bodyMax:
		return strings.Join(list[:bodyMax], ", ") + fmt.Sprintf(" and %d more", len(list)-bodyMax)
	}
	return strings.Join(list, ", ")
}
