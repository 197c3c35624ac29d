package main

import "testing"

func TestParseSignalOn(t *testing.T) {
	for word, want := range map[string]string{"INT:*.yaml": "SIGINT *.yaml", "sigint:a/**": "SIGINT a/**", "INT": "", "INT:": "", ":x": "", "NO:x": "", "INT:[": ""} {
		r, err := parseSignalOn(word)
		got := ""
		if err == nil {
			got = r.Name + " " + r.Glob
		}
		if got != want {
			t.Errorf("%s: %q, want %q (%v)", word, got, want, err)
		}
	}
}
