package engine

import "testing"

func TestPatternRegexp(t *testing.T) {
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"/m/...", "/m", true},
		{"/m/...", "/m/cmd/a", true},
		{"/m/cmd/...", "/m/cmd", true},
		{"/m/cmd/...", "/m/cmdx", false},
		{"/m/cmd...", "/m/cmdx/y", true},
		{"/m/.../app", "/m/a/b/app", true},
		{"/m/.../app", "/m/app", false},
		{"/m/a.b/...", "/m/aXb", false},
	} {
		if got := patternRegexp(test.pattern).MatchString(test.name); got != test.want {
			t.Errorf("%s matches %s: %v", test.pattern, test.name, got)
		}
	}
}
