// Package greet holds the greeting.
package greet

var who = "world"

// Hello returns the greeting.
//
//go:noinline
func Hello() string {
	return "hello " + who
}
