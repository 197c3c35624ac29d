//go:build dev

package config

// Mode names the build: a developer's own machine.
const Mode = "dev"

const logRequests = true
