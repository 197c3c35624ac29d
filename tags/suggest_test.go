package tags

import (
	"slices"
	"testing"
)

func TestSuggest(t *testing.T) {
	known := []string{"dev", "prod", "test", "integration", "sqlite", "ldflags", "gcflags", "race"}
	for _, tt := range []struct {
		word, want string
	}{
		{"dve", "dev"},
		{"Dev", "dev"},
		{"de", "dev"},
		{"devv", "dev"},
		{"prd", "prod"},
		{"tset", "test"},
		{"intergation", "integration"},
		{"integraton", "integration"},
		{"sqllite", "sqlite"},
		{"ldflag", "ldflags"},
		{"gclfags", "gcflags"},
		{"dev", ""}, // known
		{"xyz", ""}, // nothing near
		{"d", ""},   // too short to guess
		{"", ""},
		{"production", ""},
		{"purego", ""},
	} {
		got, ok := Suggest(tt.word, known)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("Suggest(%q) = %q, %v, want %q", tt.word, got, ok, tt.want)
		}
	}
	if got, _ := Suggest("bat", []string{"cat", "hat", "bat2"}); got != "cat" {
		t.Errorf("of equally near words the first must win, got %q", got)
	}
	if got, _ := Suggest("integratoin", []string{"integration2", "integration"}); got != "integration" {
		t.Errorf("the nearest word must win, got %q", got)
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"abc", "abc", 0},
		{"abc", "acb", 1}, {"abc", "axc", 1}, {"abc", "ab", 1}, {"abc", "abxc", 1},
		{"kitten", "sitting", 3}, {"ca", "abc", 3},
	} {
		if got := distance(tt.a, tt.b, 10); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if got := distance(tt.b, tt.a, 10); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.b, tt.a, got, tt.want)
		}
	}
}

func TestProfiles(t *testing.T) {
	for _, name := range Names() {
		p, ok := Lookup(name)
		if !ok || p.Name != name || !slices.Equal(p.Tags, []string{name}) {
			t.Errorf("Lookup(%q) = %+v, %v", name, p, ok)
		}
		if p.Plain != (name == "prod") {
			t.Errorf("%s: Plain is %v", name, p.Plain)
		}
	}
	if p, ok := Lookup("stage"); ok {
		t.Errorf("Lookup(stage) = %+v", p)
	}
	for _, tt := range []struct {
		tags  []string
		name  string
		plain bool
	}{
		{nil, "", false},
		{[]string{"sqlite"}, "", false},
		{[]string{"sqlite", "test", "dev"}, "test", false},
		{[]string{"dev", "prod"}, "prod", true},
	} {
		p := Select(tt.tags)
		if p.Name != tt.name || p.Plain != tt.plain {
			t.Errorf("Select(%q) = %+v", tt.tags, p)
		}
	}
}

func TestProfileArgs(t *testing.T) {
	dev, _ := Lookup("dev")
	prod, _ := Lookup("prod")
	const vcs, pgo, link = "-buildvcs=false", "-pgo=off", "-ldflags=-s -w"
	for _, tt := range []struct {
		name    string
		p       Profile
		goflags []string
		user    []string
		want    []string
	}{
		{"dev", dev, nil, nil, []string{vcs, pgo, link}},
		{"user's own flags", dev, nil, []string{"-race", "-buildvcs=true"}, []string{pgo, link, "-race", "-buildvcs=true"}},
		{"ldflags joined", dev, nil, []string{"-ldflags=-X main.v=1"}, []string{vcs, pgo, link, "-ldflags=-s -w -X main.v=1"}},
		{"ldflags of a pattern", dev, nil, []string{"-ldflags=all=-X main.v=1"}, []string{vcs, pgo, link, "-ldflags=all=-s -w -X main.v=1"}},
		{"ldflags emptied", dev, nil, []string{"-ldflags="}, []string{vcs, pgo, link, "-ldflags="}},
		{"ldflags wrong", dev, nil, []string{"-ldflags=x"}, []string{vcs, pgo, link, "-ldflags=x"}},
		{"ldflags with DWARF", dev, nil, []string{"-ldflags=-w=0 -X main.v=1"}, []string{vcs, pgo, link, "-ldflags=-w=0 -X main.v=1"}},
		{"ldflags of a pattern with DWARF", dev, nil, []string{"-ldflags=all=--w=false"}, []string{vcs, pgo, link, "-ldflags=all=--w=false"}},
		{"ldflags whose value looks so", dev, nil, []string{"-ldflags=-X main.v=-w"}, []string{vcs, pgo, link, "-ldflags=-s -w -X main.v=-w"}},
		{"prod", prod, nil, []string{"-ldflags=-X main.v=1", "-trimpath"}, []string{"-ldflags=-X main.v=1", "-trimpath"}},
		{"debug", dev.Debug(), nil, []string{"-gcflags=-m"}, []string{vcs, pgo, "-gcflags=all=-N -l", "-gcflags=-N -l -m"}},
		{"debug prod", prod.Debug(), nil, nil, []string{"-gcflags=all=-N -l"}},

		{"GOFLAGS ldflags", dev, []string{"-ldflags=-X=main.v=1"}, nil, []string{vcs, pgo, link, "-ldflags=-s -w -X=main.v=1"}},
		{"GOFLAGS two dashes", dev, []string{"--ldflags=-X=main.v=1", "--pgo=auto"}, nil, []string{vcs, link, "--ldflags=-s -w -X=main.v=1"}},
		{"GOFLAGS under the command line", dev, []string{"-ldflags=-X=main.v=1"}, []string{"-ldflags=-X=main.v=2"}, []string{vcs, pgo, link, "-ldflags=-s -w -X=main.v=1", "-ldflags=-s -w -X=main.v=2"}},
		{"GOFLAGS emptied ldflags", dev, []string{"-ldflags="}, nil, []string{vcs, pgo, link, "-ldflags="}},
		{"GOFLAGS buildvcs", dev, []string{"-buildvcs"}, nil, []string{pgo, link}},
		{"GOFLAGS pgo", dev, []string{"-pgo=x.pgo", "-race", "-tags=a"}, []string{"-tags=b"}, []string{vcs, link, "-tags=b"}},
		{"GOFLAGS gcflags", dev, []string{"-gcflags=-m"}, nil, []string{vcs, pgo, link}},
		{"GOFLAGS gcflags, debug", dev.Debug(), []string{"-gcflags=-m", "-gcflags=./x=-S"}, nil, []string{vcs, pgo, "-gcflags=all=-N -l", "-gcflags=-N -l -m", "-gcflags=./x=-N -l -S"}},
		{"GOFLAGS, prod", prod, []string{"-ldflags=-X=main.v=1"}, nil, nil},
	} {
		if got := tt.p.Args(tt.goflags, tt.user); !slices.Equal(got, tt.want) {
			t.Errorf("%s: Args(%q, %q) = %q, want %q", tt.name, tt.goflags, tt.user, got, tt.want)
		}
	}
}
