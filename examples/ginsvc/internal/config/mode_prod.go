//go:build prod

package config

// Mode names the build: production.
const Mode = "prod"

const logRequests = false
