package tags

import (
	"slices"
	"strconv"
	"strings"
)

// Profile is a named way to build: plain data that the caller turns into build
// flags with Args.
type Profile struct {
	Name string   `json:"name"`
	Tags []string `json:"tags,omitempty"`
	// Plain asks for a plain go build with the user's own flags: no shortcut
	// of the engine, full debug data, the toolchain's linker.
	Plain bool `json:"plain,omitempty"`
	// BuildFlags are build flags that hold unless the user gives the same flag.
	BuildFlags []string `json:"buildFlags,omitempty"`
	// LDFlags are linker flags, in front of the user's -ldflags.
	LDFlags []string `json:"ldFlags,omitempty"`
	// GCFlags are compiler flags for every package, in front of the user's
	// -gcflags.
	GCFlags []string `json:"gcFlags,omitempty"`
}

// fast is what dev and test share. Without DWARF a link takes about two thirds
// of the time; tracebacks do not need it. Without VCS stamping no git runs, and
// the program does not change with each commit. A default.pgo would have every
// package of the closure compiled for this program alone (cmd/go/internal/load,
// setPGOProfilePath).
func fast(name string) Profile {
	return Profile{
		Name:       name,
		Tags:       []string{name},
		BuildFlags: []string{"-buildvcs=false", "-pgo=off"},
		LDFlags:    []string{"-s", "-w"},
	}
}

// Lookup returns a built-in profile: dev, test or prod.
func Lookup(name string) (Profile, bool) {
	switch name {
	case "dev", "test":
		return fast(name), true
	case "prod":
		return Profile{Name: name, Tags: []string{name}, Plain: true}, true
	}
	return Profile{}, false
}

// Names returns the names of the built-in profiles.
func Names() []string {
	return []string{"dev", "test", "prod"}
}

// Select returns the profile that a list of tags names. A plain profile wins
// over any other, so prod among the tags is never built cleverly; else the
// first one named holds. Tags that name none get the settings of dev under no
// name, and no tag with it.
func Select(tags []string) Profile {
	var chosen Profile
	for _, t := range tags {
		p, ok := Lookup(t)
		if ok && (chosen.Name == "" || p.Plain && !chosen.Plain) {
			chosen = p
		}
	}
	if chosen.Name == "" {
		chosen = fast("")
		chosen.Tags = nil
	}
	return chosen
}

// Debug returns the profile for a debugger: DWARF kept, no optimisation and no
// inlining in any package.
func (p Profile) Debug() Profile {
	p.LDFlags = nil
	p.GCFlags = []string{"-N", "-l"}
	return p
}

// Args returns the build flags of the profile and the user together, for the
// command line. The user's are those of GOFLAGS, which the go command reads by
// itself, and those of the command line, each in the go command's form: -name or
// -name=value, with one dash or two. They keep their order and win wherever both
// say something.
//
// What the command line says goes over GOFLAGS. So a flag of the profile that
// GOFLAGS has is left out, and tool flags of GOFLAGS are said again together
// with the profile's.
func (p Profile) Args(goflags, user []string) []string {
	all := slices.Concat(goflags, user)
	var args []string
	for _, f := range p.BuildFlags {
		if !Given(all, flagName(f)) {
			args = append(args, f)
		}
	}
	for _, tool := range []struct {
		name, pattern string
		flags         []string
	}{{"gcflags", "all=", p.GCFlags}, {"ldflags", "", p.LDFlags}} {
		if len(tool.flags) == 0 {
			continue
		}
		args = append(args, "-"+tool.name+"="+tool.pattern+strings.Join(tool.flags, " "))
		for _, f := range goflags {
			if flagName(f) == tool.name {
				args = append(args, prepend(f, tool.flags))
			}
		}
	}
	for _, f := range user {
		switch flagName(f) {
		case "gcflags":
			f = prepend(f, p.GCFlags)
		case "ldflags":
			f = prepend(f, p.LDFlags)
		}
		args = append(args, f)
	}
	return args
}

// prepend puts tool flags in front of those in a user's -gcflags or -ldflags.
// It is needed because the go command gives a package the flags of the last
// value that matches it and forgets the others (cmd/go/internal/load/flag.go).
// An empty value is left alone: with it the user asks for no flags at all. So is
// one that switches a tool flag off, as -w=0 does.
func prepend(f string, tool []string) string {
	name, value, _ := strings.Cut(f, "=")
	value = strings.TrimSpace(value)
	if value == "" || len(tool) == 0 {
		return f
	}
	pattern := ""
	if !strings.HasPrefix(value, "-") {
		before, after, ok := strings.Cut(value, "=")
		if !ok {
			return f // not a value the go command takes: it will say so
		}
		pattern, value = before+"=", after
	}
	if takesBack(value, tool) {
		return f
	}
	for _, t := range slices.Backward(tool) {
		if !Given(strings.Fields(value), flagName(t)) {
			value = t + " " + value
		}
	}
	return name + "=" + pattern + value
}

// takesBack reports whether a value switches one of the tool flags off.
func takesBack(value string, tool []string) bool {
	return slices.ContainsFunc(strings.Fields(value), func(w string) bool {
		_, word, _ := strings.Cut(w, "=")
		on, err := strconv.ParseBool(word)
		return err == nil && !on && strings.HasPrefix(w, "-") &&
			slices.ContainsFunc(tool, func(t string) bool { return flagName(w) == flagName(t) })
	})
}

// flagName is the name of a flag without dashes and value.
func flagName(f string) string {
	name, _, _ := strings.Cut(f, "=")
	return strings.TrimPrefix(strings.TrimPrefix(name, "-"), "-")
}

// Value returns the value of the last flag of a name among build flags, "" if
// there is none.
func Value(flags []string, name string) (value string) {
	for _, f := range flags {
		if flagName(f) == name {
			_, value, _ = strings.Cut(f, "=")
		}
	}
	return value
}

// Given reports whether build flags have one of a name.
func Given(flags []string, name string) bool {
	return slices.ContainsFunc(flags, func(f string) bool { return flagName(f) == name })
}
