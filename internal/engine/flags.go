package engine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hotreflex/hr/tags"
)

// flagSet is what we read out of go build flags; the words themselves go to the
// go command unchanged.
type flagSet struct {
	words   []string // all, GOFLAGS first
	tags    []string
	race    bool
	msan    bool
	asan    bool
	trim    bool
	gcAll   []string // -gcflags for all packages
	gcMain  []string // -gcflags for the packages on the command line
	dwarf   bool     // the link keeps DWARF
	stamp   bool     // the program has the state of its repository, if there is one
	pgo     string   // value of -pgo
	verbose bool
	// unhandled is why no recipe is made with these flags.
	unhandled string
}

// parseFlags reads the words of GOFLAGS and of the command line. Every word is
// "-name=value" or "-name".
func parseFlags(goflags, words []string) (*flagSet, error) {
	f := &flagSet{dwarf: true, stamp: true}
	var err error
	for _, w := range goflags {
		if v, ok := strings.CutPrefix(strings.TrimLeft(w, "-"), "gcflags="); ok && !strings.Contains(v, "all=") {
			f.refuse("-gcflags in GOFLAGS")
		}
	}
	f.words = slices.Concat(goflags, words)
	for _, w := range f.words {
		name, value, hasValue := strings.Cut(strings.TrimLeft(w, "-"), "=")
		on := !hasValue
		if hasValue && isBool(name) {
			if on, err = strconv.ParseBool(value); err != nil {
				f.refuse("-" + name + "=" + value) // which says what is wrong
			}
		}
		switch name {
		case "tags":
			if f.tags, err = tags.Split(value); err != nil {
				return nil, err
			}
		case "race":
			f.race = on
		case "msan":
			f.msan = on
		case "asan":
			f.asan = on
		case "trimpath":
			f.trim = on
		case "v":
			f.verbose = on
		case "gcflags":
			if err := f.gcflags(value); err != nil {
				return nil, err
			}
		case "ldflags":
			if err := f.ldflags(value); err != nil {
				return nil, err
			}
		case "pgo":
			if f.pgo = value; value != "off" && value != "auto" {
				f.refuse("-pgo=" + value)
			}
		case "buildvcs":
			// The stamp changes with every commit, and with the first save after it.
			on, err := strconv.ParseBool(value)
			if f.stamp = !hasValue || err != nil || on; f.stamp { // auto is no bool
				f.refuse("-buildvcs")
			}
		case "buildmode":
			if value != "default" && value != "exe" {
				f.refuse("-buildmode=" + value)
			}
		case "compiler":
			if value != "gc" {
				f.refuse("-compiler=" + value)
			}
		case "cover", "a", "linkshared":
			if on {
				f.refuse("-" + name)
			}
		case "overlay", "toolexec", "installsuffix", "pkgdir", "covermode", "coverpkg", "asmflags", "gccgoflags":
			if value != "" {
				f.refuse("-" + name)
			}
		}
	}
	if f.msan {
		f.refuse("-msan")
	}
	if f.asan {
		f.refuse("-asan")
	}
	return f, nil
}

// isBool tells of the flags below that have no value but true and false, as
// package flag spells them.
func isBool(name string) bool {
	switch name {
	case "race", "msan", "asan", "trimpath", "v", "cover", "a", "linkshared":
		return true
	}
	return false
}

func (f *flagSet) refuse(why string) {
	if f.unhandled == "" {
		f.unhandled = why + " is left to go build"
	}
}

// gcflags takes one -gcflags value: flags for the named packages, for "all", or
// a pattern that only the go command can match.
func (f *flagSet) gcflags(value string) error {
	pattern, rest, found := strings.Cut(value, "=")
	if !found || strings.HasPrefix(strings.TrimSpace(value), "-") {
		words, err := tags.SplitQuoted(value)
		if err != nil {
			return fmt.Errorf("read -gcflags: %w", err)
		}
		f.gcMain = words
		return nil
	}
	words, err := tags.SplitQuoted(rest)
	if err != nil {
		return fmt.Errorf("read -gcflags: %w", err)
	}
	if pattern != "all" {
		f.refuse("-gcflags with the pattern " + pattern)
		return nil
	}
	f.gcAll = words
	// A later value for all packages also holds for those on the command line.
	f.gcMain = words
	return nil
}

// ldflags looks whether the link leaves DWARF out: -w does, and -s implies it
// (cmd/link/internal/ld/main.go).
func (f *flagSet) ldflags(value string) error {
	if pattern, _, found := strings.Cut(value, "="); found && !strings.HasPrefix(strings.TrimSpace(value), "-") {
		if pattern != "all" {
			f.refuse("-ldflags with the pattern " + pattern)
		}
		value = value[len(pattern)+1:]
	}
	words, err := tags.SplitQuoted(value)
	if err != nil {
		return fmt.Errorf("read -ldflags: %w", err)
	}
	f.dwarf = true
	for _, w := range words {
		switch strings.TrimLeft(w, "-") {
		case "w", "s", "w=true", "s=true", "w=1", "s=1":
			f.dwarf = false
		case "w=0", "w=false":
			f.dwarf = true
			return nil
		}
	}
	return nil
}
