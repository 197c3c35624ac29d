//go:build !race

package main

// raceFlags build the commands under test like the tests themselves.
var raceFlags []string
