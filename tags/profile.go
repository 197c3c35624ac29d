package tags

import "strings"

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

// Args returns the build flags of the profile and the user together. The
// user's flags are in the go command's form, -name or -name=value, and keep
// their order; they win wherever both say something.
func (p Profile) Args(user []string) []string {
	var args []string
	for _, f := range p.BuildFlags {
		if !given(user, flagName(f)) {
			args = append(args, f)
		}
	}
	if len(p.GCFlags) > 0 {
		args = append(args, "-gcflags=all="+strings.Join(p.GCFlags, " "))
	}
	if len(p.LDFlags) > 0 {
		args = append(args, "-ldflags="+strings.Join(p.LDFlags, " "))
	}
	for _, f := range user {
		switch flagName(f) {
		case "-gcflags":
			f = prepend(f, p.GCFlags)
		case "-ldflags":
			f = prepend(f, p.LDFlags)
		}
		args = append(args, f)
	}
	return args
}

// prepend puts tool flags in front of those in a user's -gcflags or -ldflags.
// It is needed because the go command gives a package the flags of the last
// value that matches it and forgets the others (cmd/go/internal/load/flag.go).
// An empty value is left alone: with it the user asks for no flags at all.
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
	return name + "=" + pattern + strings.TrimSpace(strings.Join(tool, " ")+" "+value)
}

func given(flags []string, name string) bool {
	for _, f := range flags {
		if flagName(f) == name {
			return true
		}
	}
	return false
}

func flagName(f string) string {
	name, _, _ := strings.Cut(f, "=")
	return name
}
