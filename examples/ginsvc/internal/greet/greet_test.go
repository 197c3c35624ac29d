package greet

import (
	"strings"
	"testing"
)

// The greeting itself is free to change; the name in it is not.
func TestHelloNames(t *testing.T) {
	tests := []struct{ name, want string }{
		{"", "world"},
		{"   ", "world"},
		{"Ada", "Ada"},
		{"  Ada \t Lovelace ", "Ada Lovelace"},
	}
	for _, test := range tests {
		if got := Hello(test.name); !strings.Contains(got, test.want) {
			t.Errorf("Hello(%q) = %q, want %q in it", test.name, got, test.want)
		}
	}
}
