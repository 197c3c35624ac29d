// Package greet holds the words that the service greets people with.
//
// Edit the greeting while `hr run` is watching, and GET /hello shows it.
package greet

import "strings"

// Service is the name shown on the page and in logs.
const Service = "ginsvc"

// Hello greets name, or the world when name is blank.
func Hello(name string) string {
	greeting := "Hello"
	name = strings.Join(strings.Fields(name), " ")
	if name == "" {
		name = "world"
	}
	return greeting + ", " + name + "!"
}
