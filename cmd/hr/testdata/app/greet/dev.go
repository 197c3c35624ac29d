//go:build dev

package greet

func init() { who = "developer" }
