//go:build !dev && !test && !prod

package config

// Mode names the build: no mode was asked for.
const Mode = "default"

const logRequests = false
