package protocol

import (
	"context"
	"errors"

	"github.com/hotreflex/hr/internal/place"
)

// Codes of an Error. Programs may rely on them; they never change meaning.
const (
	CodeUsage    = "usage"    // the request or the command line makes no sense
	CodeBuild    = "build"    // the user's program does not build
	CodeNotFound = "notfound" // no such session, package or file
	CodeCanceled = "canceled" // given up: superseded, or the client left
	CodeTimeout  = "timeout"  // a deadline passed
	CodeSilent   = "silent"   // a daemon is there and does not answer
	CodeUnsafe   = "unsafe"   // others could meddle with the run directory or the socket
	CodeAbsent   = "absent"   // no daemon is listening
	CodeRunning  = "running"  // another daemon already serves this run directory
	CodeStart    = "start"    // the daemon could not be started
	CodeMismatch = "mismatch" // hr and hrd are of different builds
	CodeInternal = "internal" // a fault of ours
)

// Sentinels for callers that branch. Errors returned by this package match
// them with errors.Is, also after they crossed the socket.
var (
	// ErrAbsent says that no daemon is listening.
	ErrAbsent = &Error{Code: CodeAbsent, Message: "no hrd is running"}
	// ErrOther says that the answer is to another question than ours.
	ErrOther = &Error{Code: CodeMismatch, Message: "hrd answered another question", Hint: "hr and hrd of one build belong together"}
	// ErrSilent says that whoever listens does not answer, or not to the end.
	ErrSilent = &Error{Code: CodeSilent, Message: "hrd does not answer", Hint: "hrd stop --now ends it"}
	// ErrRunning says that another daemon serves this run directory.
	ErrRunning = &Error{Code: CodeRunning, Message: "another hrd is running"}
)

// Error is what a user is told when something goes wrong: what happened, and
// what to do next. Its JSON form is what crosses the socket.
type Error struct {
	Code    string `json:"code"`
	Message string `json:"message"`        // lower case, no full stop
	Hint    string `json:"hint,omitempty"` // the next thing to try, or empty
}

func (e *Error) Error() string { return e.Message }

// Is makes two errors of one code equal to errors.Is.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code
}

// AsError gives err the shape that crosses the socket: the *Error in its chain
// with the text of the whole chain, else a code that fits. AsError(nil) is nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	var unsafe *place.Error
	switch {
	case errors.As(err, &e):
		return &Error{Code: e.Code, Message: err.Error(), Hint: e.Hint}
	case errors.As(err, &unsafe):
		return &Error{Code: CodeUnsafe, Message: err.Error(), Hint: unsafe.Hint}
	case errors.Is(err, context.Canceled):
		return &Error{Code: CodeCanceled, Message: err.Error()}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Code: CodeTimeout, Message: err.Error()}
	}
	return &Error{Code: CodeInternal, Message: err.Error()}
}
