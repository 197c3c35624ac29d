package daemon

import (
	"errors"
	"strings"

	"github.com/hotreflex/hr/internal/engine"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/printable"
	"github.com/hotreflex/hr/internal/protocol"
	"github.com/hotreflex/hr/tags"
)

// explain gives errors of the engine a code and a hint.
func explain(err error) error {
	var main *engine.MainError
	var user *order.Error
	var split *tags.SplitError
	switch {
	case errors.As(err, &split):
		e := &protocol.Error{Code: protocol.CodeUsage, Message: split.Error()}
		if split.Hint != "" {
			e.Hint = "separate tags with commas: " + split.Hint
		}
		return e
	case errors.As(err, &main):
		e := &protocol.Error{Code: protocol.CodeUsage, Message: printable.Line(main.Error())}
		switch {
		case main.Hint != "":
			e.Hint = main.Hint
		case len(main.Mains) > 0:
			e.Hint = "choose one: hr run " + main.Mains[0]
		default:
			e.Hint = "go into the module, or name a main package: hr run ./cmd/app"
		}
		return e
	case errors.Is(err, engine.ErrNoGo):
		return &protocol.Error{Code: protocol.CodeNotFound, Message: engine.ErrNoGo.Error(), Hint: "install Go from https://go.dev/dl, or put its bin directory on PATH"}
	case errors.As(err, &user) && wrongWords(user.Text):
		said, _, _ := strings.Cut(user.Text, "\nusage: ") // that of go build is not ours
		return &protocol.Error{Code: protocol.CodeUsage, Message: said, Hint: hintFor(user.Text)}
	case errors.As(err, &user):
		return &protocol.Error{Code: protocol.CodeBuild, Message: user.Text, Hint: hintFor(user.Text)}
	}
	if hint := hintFor(err.Error()); hint != "" {
		e := protocol.AsError(err)
		e.Hint = hint
		return e
	}
	return err
}

// wrongWords tells that the go command complains of what was typed, not of the
// source: its errors about that name a file and a line.
func wrongWords(text string) bool {
	if strings.Contains(text, ".go:") {
		return false
	}
	for _, s := range []string{
		"outside main module", "outside modules listed in go.work", "is not a main package", "directory not found",
		"does not contain package", "is not in std", "no required module provides package", "no Go files in",
		"malformed import path", "parsing $GOFLAGS", "flag provided but not defined", "invalid value", "invalid boolean value",
	} {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

// hintFor knows what to do about some of the go command's complaints.
func hintFor(text string) string {
	switch {
	case strings.Contains(text, "outside main module"), strings.Contains(text, "outside modules listed in go.work"):
		return "run it from its own module: hr run -C DIR ."
	case strings.Contains(text, "parsing $GOFLAGS"):
		return "go env GOFLAGS shows them"
	case strings.Contains(text, "invalid boolean value"):
		return "such a flag is on without a value"
	case strings.Contains(text, ".go; to add it:"):
		return "there is no such file: name a package, or Go files that are there"
	case strings.Contains(text, "to add it:"):
		return "" // the go command says what to do
	case strings.Contains(text, "missing go.sum entry"), strings.Contains(text, "updates to go.mod needed"), strings.Contains(text, "no required module provides package"):
		return "go mod tidy adds what is missing"
	case strings.Contains(text, "go.mod file not found"), strings.Contains(text, "cannot find main module"):
		return "go mod init makes a module here"
	case strings.Contains(text, "errors parsing go.mod"):
		return "mend go.mod: the running program stays until then"
	case wrongWords(text):
		return "name a package that is: hr run ./cmd/app"
	case strings.Contains(text, "no space"):
		return roomHint
	}
	return ""
}

const roomHint = "make room, or set HR_CACHE_DIR to another disk"
