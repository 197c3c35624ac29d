// Package hr is the root of the module; it holds no code. README.md says what
// the programs do, ARCHITECTURE.md how they are made.
package hr
