package engine

import (
	"slices"
	"testing"

	"github.com/hotreflex/hr/internal/order"
)

// TestBoolFlags: as package flag, which the go command uses, reads them.
func TestBoolFlags(t *testing.T) {
	for _, test := range []struct {
		word     string
		race, ok bool
	}{
		{"-race", true, true}, {"--race", true, true}, {"-race=1", true, true}, {"-race=TRUE", true, true}, {"-race=t", true, true},
		{"-race=false", false, true}, {"-race=0", false, true}, {"-race=F", false, true},
		{"-race=maybe", false, false}, {"-race=", false, false},
	} {
		f, err := parseFlags(nil, []string{test.word})
		if err != nil {
			t.Fatal(err)
		}
		if f.race != test.race || (f.unhandled == "") != test.ok {
			t.Errorf("%s: race %v, unhandled %q", test.word, f.race, f.unhandled)
		}
	}
}

// TestProfileYields: what the user says, in GOFLAGS or on the command line,
// holds.
func TestProfileYields(t *testing.T) {
	const vcs, pgo, link = "-buildvcs=false", "-pgo=off", "-ldflags=-s -w"
	for _, test := range []struct {
		goflags string
		job     order.Job
		flags   []string
		tags    []string
		plain   bool
		left    string // why it is left to go build
	}{
		{"", order.Job{Profile: "auto"}, []string{vcs, pgo, link}, nil, false, ""},
		{"", order.Job{Flags: []string{"-race"}}, []string{"-race"}, nil, false, ""},
		{"-ldflags=-X=main.v=1", order.Job{Profile: "auto"}, []string{vcs, pgo, link, "-ldflags=-s -w -X=main.v=1"}, nil, false, ""},
		{`'-ldflags=-X "main.v=a b"'`, order.Job{Profile: "auto"}, []string{vcs, pgo, link, `-ldflags=-s -w -X "main.v=a b"`}, nil, false, ""},
		{"-buildvcs", order.Job{Profile: "auto"}, []string{pgo, link}, nil, false, "-buildvcs is left to go build"},
		{"", order.Job{Profile: "auto", Flags: []string{"-buildvcs=auto"}}, []string{pgo, link, "-buildvcs=auto"}, nil, false, "-buildvcs is left to go build"},
		{"-buildvcs=true", order.Job{Profile: "auto", Flags: []string{"-buildvcs=0"}}, []string{pgo, link, "-buildvcs=0"}, nil, false, "-buildvcs is left to go build"},
		{"-pgo=auto", order.Job{Profile: "auto"}, []string{vcs, link}, nil, false, ""},
		{"--pgo=my.pgo", order.Job{Profile: "auto"}, []string{vcs, link}, nil, false, "-pgo=my.pgo is left to go build"},
		{"-race -trimpath -mod=mod", order.Job{Profile: "auto"}, []string{vcs, pgo, link}, nil, false, ""},
		{"-tags=prod", order.Job{Profile: "auto"}, nil, []string{"prod"}, true, "the prod profile is a plain go build"},
		{"-tags=prod", order.Job{Profile: "auto", Flags: []string{"-tags=dev"}}, []string{vcs, pgo, link, "-tags=dev"}, []string{"dev"}, false, ""},
		{"-tags=a,dev", order.Job{Profile: "test"}, []string{vcs, pgo, link, "-tags=a,test"}, []string{"a", "test"}, false, ""},
		{"-tags=a", order.Job{Profile: "test", Flags: []string{"-tags=b"}}, []string{vcs, pgo, link, "-tags=b"}, []string{"b"}, false, ""},
		{"-gcflags=all=-m", order.Job{Profile: "auto", Debug: true}, []string{vcs, pgo, "-gcflags=all=-N -l", "-gcflags=all=-N -l -m"}, nil, false, ""},
	} {
		target := &Target{job: test.job, tool: &Toolchain{Env: map[string]string{"GOFLAGS": test.goflags}}}
		if err := target.takeFlags(); err != nil {
			t.Errorf("%q, %+v: %v", test.goflags, test.job, err)
			continue
		}
		left := target.flags.unhandled
		if target.job.Plain {
			left = "the prod profile is a plain go build" // resolve says it
		}
		if !slices.Equal(target.job.Flags, test.flags) || !slices.Equal(target.flags.tags, test.tags) || target.job.Plain != test.plain || left != test.left {
			t.Errorf("GOFLAGS %q, %+v: flags %q, tags %q, plain %v, left %q", test.goflags, test.job, target.job.Flags, target.flags.tags, target.job.Plain, left)
		}
	}
	for _, goflags := range []string{"'-tags=a", "'-tags=a b'", "-tags=a-b"} {
		target := &Target{job: order.Job{Profile: "auto"}, tool: &Toolchain{Env: map[string]string{"GOFLAGS": goflags}}}
		if err := target.takeFlags(); err == nil {
			t.Errorf("GOFLAGS %q is taken", goflags)
		}
	}
}
