package engine

import "testing"

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
		f, err := parseFlags("", []string{test.word})
		if err != nil {
			t.Fatal(err)
		}
		if f.race != test.race || (f.unhandled == "") != test.ok {
			t.Errorf("%s: race %v, unhandled %q", test.word, f.race, f.unhandled)
		}
	}
}
