package main

import (
	"os"
	"slices"
	"strings"
	"time"

	"github.com/hotreflex/hr/tags"
)

// onKey does what a key asks for while the program does not have the terminal.
func (r *runner) onKey(key byte) (code int, done bool) {
	switch key {
	case 'r':
		if r.running.Path == "" {
			r.c.screen.Notice("there is no program yet")
			break
		}
		r.rerun([]string{"restart"}, time.Now())
	case 'b':
		r.build(time.Now(), []string{"rebuild"})
	case 'c':
		r.c.screen.Clear()
	case 't':
		r.nextProfile()
	case 'w':
		r.c.screen.Done()
		printReport(r.c.stderr, &r.report.data)
	case 'q':
		return r.onSignal(os.Interrupt), true
	case 'h', '?':
		r.c.screen.Notice("r restart, b rebuild, c clear, t next profile (%s), w why, q quit", strings.Join(tags.Names(), ", "))
	}
	return 0, false
}

// nextProfile goes from dev to test to prod and around, by another session with
// the daemon: it keeps what it knows of each.
func (r *runner) nextProfile() {
	if r.opening {
		r.c.screen.Notice("wait for the build: then t changes the profile")
		return
	}
	flags := r.flags
	next := followingProfile(flags.profileName())
	flags.profile, flags.goFlags = next, withProfileTag(flags.goFlags, next)
	job, _, err := flags.job()
	if err != nil {
		r.c.fail(err)
		return
	}
	r.drop()
	r.flags, r.job = flags, job
	r.report.profile(job)
	r.reopen(time.Now(), []string{"profile " + next})
}

// profileName is the profile that the flags choose, "" for none.
func (f *runFlags) profileName() string {
	if f.profile != "" {
		return f.profile
	}
	goflags, _ := tags.SplitQuoted(goEnv("GOFLAGS")) // the engine has taken them
	list, _ := tags.Split(tags.Value(append(goflags, f.goFlags...), "tags"))
	return tags.Select(list).Name
}

// followingProfile is the one after a profile; no profile builds as dev does.
func followingProfile(name string) string {
	names := tags.Names()
	i := slices.Index(names, name)
	if name == "" {
		i = slices.Index(names, "dev")
	}
	return names[(i+1)%len(names)]
}

// withProfileTag puts a profile's tag in the place of another's in -tags.
func withProfileTag(goFlags []string, profile string) []string {
	var out []string
	for _, f := range goFlags {
		if value, ok := strings.CutPrefix(f, "-tags="); ok {
			list, err := tags.Split(value)
			if err != nil {
				return goFlags
			}
			list = slices.DeleteFunc(list, func(t string) bool { return slices.Contains(tags.Names(), t) })
			f = "-tags=" + strings.Join(append(list, profile), ",")
		}
		out = append(out, f)
	}
	return out
}
