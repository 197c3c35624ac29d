package link

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// CrossCheck links r with the toolchain's linker as well, for its errors: what
// it refuses and the incremental linker does not notice are references that
// linkname rules forbid and stacks that are too deep for nosplit functions. The
// program it makes is thrown away. The error is a *ToolError if the linker
// complains.
//
// It takes as long as the toolchain's linker takes, so it belongs into the
// background, and is of use once per value of Result.Reached.
func CrossCheck(ctx context.Context, r Request) error {
	dir, err := os.MkdirTemp(r.Temp, "hr-crosscheck-")
	if err != nil {
		return fmt.Errorf("link: cross-check: %w", err)
	}
	defer os.RemoveAll(dir)
	r.Out = filepath.Join(dir, "program")
	_, err = NewToolchain().Link(ctx, r)
	return err
}
