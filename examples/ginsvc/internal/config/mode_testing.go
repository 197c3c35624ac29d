//go:build test

package config

// Mode names the build: an integration environment.
const Mode = "test"

const logRequests = false
