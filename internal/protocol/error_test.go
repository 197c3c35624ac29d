package protocol

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
)

func TestAsError(t *testing.T) {
	tests := []struct {
		err  error
		want Error
	}{
		{errors.New("boom"), Error{CodeInternal, "boom", ""}},
		{fmt.Errorf("build: %w", context.Canceled), Error{CodeCanceled, "build: context canceled", ""}},
		{context.DeadlineExceeded, Error{CodeTimeout, "context deadline exceeded", ""}},
		{fmt.Errorf("session: %w", &Error{CodeNotFound, "no package", "try ."}), Error{CodeNotFound, "session: no package", "try ."}},
	}
	for _, test := range tests {
		if got := AsError(test.err); *got != test.want {
			t.Errorf("AsError(%v) = %+v, want %+v", test.err, *got, test.want)
		}
	}
	if AsError(nil) != nil {
		t.Error("AsError(nil) is an error")
	}
}

// An error keeps its meaning on its way over the socket.
func TestErrorCrosses(t *testing.T) {
	text, err := json.Marshal(AsError(fmt.Errorf("start: %w", ErrRunning)))
	if err != nil {
		t.Fatal(err)
	}
	var got *Error
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(got, ErrRunning) || errors.Is(got, ErrAbsent) {
		t.Errorf("%s is no longer ErrRunning", text)
	}
}
